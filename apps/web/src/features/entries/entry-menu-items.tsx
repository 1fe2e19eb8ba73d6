"use client";
import { MenuItem, MenuLink, MenuSeparator } from "@holdfast/ui";
import { Download, Eye, FolderInput, FolderOpen, Info, PencilLine, Trash2 } from "lucide-react";
import { contentPath, type Entry } from "./entry.ts";

export interface EntryMenuProps {
  entries: readonly Entry[];
  onOpen: (entry: Entry) => void;
  onRename: (entry: Entry) => void;
  onMove: () => void;
  onTrash: () => void;
  onDetails: () => void;
}

/** What can be done with the selected entries. */
export function EntryMenuItems({ entries, onOpen, onRename, onMove, onTrash, onDetails }: EntryMenuProps) {
  const only = entries.length === 1 ? entries[0] : undefined;
  return (
    <>
      {only?.kind === "folder" && (
        <MenuItem icon={<FolderOpen />} shortcut="Enter" onClick={() => onOpen(only)}>
          Open
        </MenuItem>
      )}
      {only?.kind === "file" && (
        <>
          <MenuLink icon={<Eye />} href={contentPath(only.id, { download: false })} target="_blank" rel="noreferrer">
            Open in a new tab
          </MenuLink>
          <MenuLink icon={<Download />} href={contentPath(only.id, { download: true })} download>
            Download
          </MenuLink>
        </>
      )}
      {only && (
        <>
          <MenuSeparator />
          <MenuItem icon={<PencilLine />} shortcut="F2" onClick={() => onRename(only)}>
            Rename
          </MenuItem>
        </>
      )}
      <MenuItem icon={<FolderInput />} onClick={onMove}>
        Move to…
      </MenuItem>
      {only && (
        <MenuItem icon={<Info />} shortcut="D" onClick={onDetails}>
          Details
        </MenuItem>
      )}
      <MenuSeparator />
      <MenuItem icon={<Trash2 />} shortcut="Del" onClick={onTrash}>
        Move to trash
      </MenuItem>
    </>
  );
}
