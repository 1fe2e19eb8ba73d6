"use client";
import { Button, Dialog, DialogActions, Skeleton } from "@holdfast/ui";
import { useQuery } from "@tanstack/react-query";
import { ArrowUp, ChevronRight } from "lucide-react";
import { useState } from "react";
import { useTRPC } from "../api/trpc.ts";
import { type Entry, type FolderRef, nameOf } from "./entry.ts";
import { EntryIcon } from "./entry-icon.tsx";
import { useLast } from "../shell/use-last.ts";
import { useFolderEntries } from "./use-entries.ts";

interface MoveDialogProps {
  /** What to move; nothing closes the dialog. */
  entries: readonly Entry[];
  /** The folder they are in, where the choice begins. */
  from: string;
  onMove: (folder: FolderRef) => void;
  onClose: () => void;
}

/** Chooses a folder by walking there: for the keyboard, and for a phone. */
export function MoveDialog({ entries, from, onMove, onClose }: MoveDialogProps) {
  const open = entries.length > 0;
  const moving = useLast(open ? entries : undefined) ?? entries;
  return (
    <Dialog open={open} onClose={onClose} title={`Move ${nameOf(moving)}`}>
      <FolderChoice entries={moving} from={from} onMove={onMove} onClose={onClose} />
    </Dialog>
  );
}

function FolderChoice({ entries, from, onMove, onClose }: MoveDialogProps) {
  const [folderId, setFolderId] = useState(from);
  const folder = useQuery(useTRPC().entries.folder.queryOptions({ id: folderId })).data;
  const above = folder?.path.at(-2);
  const target = folder && { id: folder.id, name: above ? folder.name : "My Drive" };

  return (
    <>
      <div className="flex h-8 items-center gap-2">
        <Button size="sm" look="ghost" aria-label="Folder above" disabled={!above} onClick={() => above && setFolderId(above.id)}>
          <ArrowUp />
        </Button>
        <span className="truncate font-medium" aria-live="polite">
          {target?.name}
        </span>
      </div>
      <Subfolders key={folderId} folderId={folderId} without={entries} onOpen={setFolderId} />
      <DialogActions>
        <Button onClick={onClose}>Cancel</Button>
        <Button look="primary" disabled={!target || folderId === from} onClick={() => target && onMove(target)}>
          {folderId === from ? "It is here already" : "Move here"}
        </Button>
      </DialogActions>
    </>
  );
}

interface SubfoldersProps {
  folderId: string;
  /** Cannot go into themselves. */
  without: readonly Entry[];
  onOpen: (id: string) => void;
}

function Subfolders({ folderId, without, onOpen }: SubfoldersProps) {
  const { rows, hasMore, loadMore } = useFolderEntries(folderId, { column: "name", direction: "asc" });
  const folders = rows?.filter((row) => row.kind === "folder" && without.every(({ id }) => id !== row.id));
  // Folders come first: where files begin, no more folders follow.
  const moreFolders = hasMore && rows?.at(-1)?.kind === "folder";
  return (
    <ul className="h-64 overflow-y-auto rounded-md border">
      {!folders && <Skeleton className="m-3 w-40" />}
      {folders?.length === 0 && <li className="p-3 text-ink-muted">No folders in here.</li>}
      {folders?.map((row) => (
        <li key={row.id}>
          <button
            type="button"
            onClick={() => onOpen(row.id)}
            className="flex h-10 w-full items-center gap-2.5 px-3 text-left hover:bg-hover focus-visible:-outline-offset-2 pointer-coarse:h-12"
          >
            <EntryIcon entry={row} />
            <span className="flex-1 truncate" dir="auto">
              {row.name}
            </span>
            <ChevronRight aria-hidden className="size-4 text-ink-faint" />
          </button>
        </li>
      ))}
      {moreFolders && (
        <li className="p-2">
          <Button size="sm" look="ghost" onClick={loadMore}>
            More folders
          </Button>
        </li>
      )}
    </ul>
  );
}
