"use client";
import { formatCount, IconButton } from "@holdfast/ui";
import { X } from "lucide-react";
import type { ReactNode } from "react";

/** While rows are selected: how many, what can be done, and the way out. On a phone it takes the place of the path. */
export function SelectionBar({ count, onClear, children }: { count: number; onClear: () => void; children: ReactNode }) {
  return (
    <div role="toolbar" aria-label="Selection" className="flex items-center gap-0.5 rounded-md bg-kelp-soft pl-1 max-sm:flex-1">
      <IconButton label="Select nothing" shortcut="Esc" size="sm" onClick={onClear}>
        <X />
      </IconButton>
      <span role="status" className="figures mr-2 truncate text-sm font-medium max-sm:flex-1">
        {formatCount(count, "selected", "selected")}
      </span>
      {children}
    </div>
  );
}
