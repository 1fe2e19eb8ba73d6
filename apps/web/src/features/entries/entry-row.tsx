"use client";
import { cn, formatBytes, RelativeTime } from "@holdfast/ui";
import { EllipsisVertical } from "lucide-react";
import { memo, type MouseEvent, useRef } from "react";
import { useEntryDrag, useEntryDrop } from "./drag.ts";
import type { Entry } from "./entry.ts";
import { gridColumns } from "./entry-grid-header.tsx";
import { RenameBox } from "./rename-box.tsx";
import { SelectBox } from "./select-box.tsx";

export interface RowHandlers {
  onClick: (entry: Entry, event: MouseEvent) => void;
  onDoubleClick: (entry: Entry) => void;
  onToggle: (entry: Entry) => void;
  onRenamed: (entry: Entry, name: string | undefined) => void;
  /** Which entries a drag of this row takes along; absent where rows cannot be dragged. */
  dragWith?: (entry: Entry) => readonly Entry[];
  onDropInto?: (folder: Entry, entries: readonly Entry[]) => void;
}

interface EntryRowProps {
  entry: Entry;
  index: number;
  top: number;
  height: number;
  date: Date;
  selected: boolean;
  active: boolean;
  renaming: boolean;
  handlers: RowHandlers;
}

export function rowId(entryId: string): string {
  return `entry-${entryId}`;
}

/** Scrolling draws only the rows that come into sight: nothing of the others has changed. */
export const EntryRow = memo(function EntryRow({ entry, index, top, height, date, selected, active, renaming, handlers }: EntryRowProps) {
  const element = useRef<HTMLDivElement>(null);
  useEntryDrag(element, () => handlers.dragWith?.(entry) ?? [], handlers.dragWith !== undefined && !renaming);
  const isOver = useEntryDrop(
    element,
    (entries) => handlers.onDropInto?.(entry, entries),
    (entries) => entry.kind === "folder" && handlers.onDropInto !== undefined && entries.every(({ id }) => id !== entry.id),
  );

  return (
    // oxlint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/interactive-supports-focus -- the grid has the focus and the keys
    <div
      ref={element}
      id={rowId(entry.id)}
      role="row"
      aria-rowindex={index + 2}
      aria-selected={selected}
      data-entry-id={entry.id}
      data-folder-id={entry.kind === "folder" ? entry.id : undefined}
      style={{ height, transform: `translateY(${top}px)` }}
      className={cn(
        gridColumns,
        "group absolute inset-x-0 items-center border-b border-line/60 hover:bg-hover",
        selected && "bg-kelp-soft hover:bg-kelp-soft",
        active && "group-focus-visible/grid:shadow-[inset_0_0_0_2px_var(--color-kelp)]",
        isOver && "bg-kelp-soft shadow-[inset_0_0_0_2px_var(--color-kelp)]",
      )}
      onClick={(event) => handlers.onClick(entry, event)}
      onDoubleClick={() => handlers.onDoubleClick(entry)}
    >
      <SelectBox entry={entry} selected={selected} onToggle={() => handlers.onToggle(entry)} />
      <div role="gridcell" className="min-w-0 pr-3">
        {renaming ? (
          <RenameBox entry={entry} onDone={(name) => handlers.onRenamed(entry, name)} />
        ) : (
          <>
            <div className="truncate text-left font-medium" title={entry.name} dir="auto">
              {entry.name}
            </div>
            <div className="figures truncate text-xs text-ink-muted sm:hidden">
              <RelativeTime at={date} />
              {entry.kind === "file" && ` · ${formatBytes(entry.sizeBytes)}`}
            </div>
          </>
        )}
      </div>
      <div role="gridcell" className="figures truncate text-sm text-ink-muted max-sm:hidden">
        <RelativeTime at={date} />
      </div>
      <div role="gridcell" className="figures truncate text-right text-sm text-ink-muted max-sm:hidden">
        {formatBytes(entry.sizeBytes)}
      </div>
      <div role="gridcell" className="flex justify-center">
        <RowMenuButton name={entry.name} />
      </div>
    </div>
  );
});

/** A right click for those who have none. */
function RowMenuButton({ name }: { name: string }) {
  const open = (event: MouseEvent<HTMLButtonElement>): void => {
    event.stopPropagation();
    const { right, bottom } = event.currentTarget.getBoundingClientRect();
    event.currentTarget.dispatchEvent(
      new window.MouseEvent("contextmenu", { bubbles: true, cancelable: true, clientX: right, clientY: bottom }),
    );
  };
  return (
    <button
      type="button"
      tabIndex={-1}
      aria-label={`Actions for ${name}`}
      aria-haspopup="menu"
      onClick={open}
      onDoubleClick={(event) => event.stopPropagation()}
      className="flex size-8 items-center justify-center rounded-md text-ink-muted opacity-0 group-hover:opacity-100 group-aria-selected:opacity-100 hover:bg-line hover:text-ink pointer-coarse:size-11 pointer-coarse:opacity-100"
    >
      <EllipsisVertical aria-hidden className="size-4" />
    </button>
  );
}
