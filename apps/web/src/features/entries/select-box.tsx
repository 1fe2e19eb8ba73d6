import { cn } from "@holdfast/ui";
import { Check } from "lucide-react";
import type { MouseEvent } from "react";
import { EntryIcon } from "./entry-icon.tsx";
import type { Entry } from "./entry.ts";

/** The icon of a row, which is also its checkbox: shown as one on hover, once selected, and to touch. */
export function SelectBox({ entry, selected, onToggle }: { entry: Entry; selected: boolean; onToggle: () => void }) {
  const toggle = (event: MouseEvent): void => {
    event.stopPropagation();
    onToggle();
  };
  return (
    <div role="gridcell" className="flex h-full justify-center">
      {/* oxlint-disable-next-line jsx-a11y/prefer-tag-over-role -- the box is drawn over an icon; Space selects from the grid */}
      <button
        type="button"
        role="checkbox"
        tabIndex={-1}
        aria-checked={selected}
        aria-label={`Select ${entry.name}`}
        onClick={toggle}
        onDoubleClick={(event) => event.stopPropagation()}
        className="group/box relative flex w-full items-center justify-center"
      >
        <EntryIcon entry={entry} className={cn("group-hover/box:opacity-0", selected && "opacity-0")} />
        <span
          aria-hidden
          className={cn(
            "absolute flex size-4 items-center justify-center rounded-[0.25rem] border border-line-strong bg-surface opacity-0 group-hover/box:opacity-100",
            selected && "border-kelp bg-kelp text-on-kelp opacity-100",
          )}
        >
          {selected && <Check className="size-3" strokeWidth={3} />}
        </span>
      </button>
    </div>
  );
}
