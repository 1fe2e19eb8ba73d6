"use client";
import { cn, IconButton, iconButtonStyles, Tooltip } from "@holdfast/ui";
import { Download, FolderInput, Info, Trash2 } from "lucide-react";
import { useDetailsOpen } from "../details/use-details-open.ts";
import { Breadcrumbs } from "./breadcrumbs.tsx";
import { contentPath, type Entry, type FolderRef } from "./entry.ts";
import { SelectionBar } from "./selection-bar.tsx";

interface FolderToolbarProps {
  path: readonly FolderRef[];
  selected: readonly Entry[];
  onDropInto: (folder: FolderRef, entries: readonly Entry[]) => void;
  onMove: () => void;
  onTrash: () => void;
  onClear: () => void;
}

/** Where one is, and what can be done with what is selected. */
export function FolderToolbar({ path, selected, onDropInto, onMove, onTrash, onClear }: FolderToolbarProps) {
  const details = useDetailsOpen();
  const only = selected.length === 1 ? selected[0] : undefined;
  return (
    <div className="flex h-13 shrink-0 items-center gap-2 border-b px-2">
      <Breadcrumbs path={path} onDropInto={onDropInto} className={cn("flex-1", selected.length > 0 && "max-sm:sr-only")} />
      {selected.length > 0 && (
        <SelectionBar count={selected.length} onClear={onClear}>
          {only?.kind === "file" && <DownloadLink entry={only} />}
          <IconButton label="Move to…" size="sm" onClick={onMove}>
            <FolderInput />
          </IconButton>
          <IconButton label="Move to trash" shortcut="Del" size="sm" onClick={onTrash}>
            <Trash2 />
          </IconButton>
        </SelectionBar>
      )}
      <IconButton
        label={details.open ? "Hide details" : "Show details"}
        shortcut="D"
        size="sm"
        aria-pressed={details.open}
        onClick={details.toggle}
      >
        <Info />
      </IconButton>
    </div>
  );
}

function DownloadLink({ entry }: { entry: Entry }) {
  return (
    <Tooltip label="Download">
      <a href={contentPath(entry.id, { download: true })} download aria-label="Download" className={iconButtonStyles({ size: "sm" })}>
        <Download />
      </a>
    </Tooltip>
  );
}
