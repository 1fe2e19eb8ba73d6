"use client";
import { Button, cn, Menu, MenuItem, MenuSeparator } from "@holdfast/ui";
import { FolderPlus, FolderUp, Plus, Upload } from "lucide-react";
import { useState } from "react";
import { NewFolderDialog } from "../entries/new-folder-dialog.tsx";
import { openChooser } from "../uploads/file-choosers.tsx";
import { useCurrentFolderId } from "./use-current-folder.ts";

/** Makes something in the folder that is open. On a phone it floats above the navigation. */
export function NewMenu({ floating = false }: { floating?: boolean }) {
  const folderId = useCurrentFolderId();
  const [naming, setNaming] = useState(false);
  return (
    <>
      <Menu
        align={floating ? "end" : "start"}
        trigger={
          <Button
            look="primary"
            disabled={folderId === undefined}
            aria-label={floating ? "New" : undefined}
            className={cn(
              floating
                ? "fixed right-4 bottom-[calc(4.5rem+env(safe-area-inset-bottom))] z-20 size-14 rounded-full p-0 shadow-md pointer-coarse:h-14 [&_svg]:size-6"
                : "h-10 self-start pr-5 pl-4",
            )}
          >
            <Plus />
            {!floating && "New"}
          </Button>
        }
      >
        {folderId !== undefined && <NewMenuItems onNewFolder={() => setNaming(true)} />}
      </Menu>
      {folderId !== undefined && <NewFolderDialog parentId={folderId} open={naming} onClose={() => setNaming(false)} />}
    </>
  );
}

/** Also what a right click on empty space offers. */
export function NewMenuItems({ onNewFolder }: { onNewFolder: () => void }) {
  return (
    <>
      <MenuItem icon={<FolderPlus />} onClick={onNewFolder}>
        New folder
      </MenuItem>
      <MenuSeparator />
      <MenuItem icon={<Upload />} onClick={() => openChooser("files")}>
        Upload files
      </MenuItem>
      <MenuItem icon={<FolderUp />} onClick={() => openChooser("folder")}>
        Upload folder
      </MenuItem>
    </>
  );
}
