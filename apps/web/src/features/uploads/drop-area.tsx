"use client";
import { Upload } from "lucide-react";
import { type ReactNode, useEffect, useEffectEvent, useState } from "react";
import { useCurrentFolderId } from "../shell/use-current-folder.ts";
import { readDropped } from "./sources.ts";
import { useUploads } from "./use-uploads.ts";

/** Files and folders dropped anywhere on the page go into the folder that is open, or into the folder row under the pointer. */
export function DropArea({ children }: { children: ReactNode }) {
  const folderId = useCurrentFolderId();
  const { upload } = useUploads();
  const [isOver, setIsOver] = useState(false);

  const drop = useEffectEvent((event: DragEvent) => {
    const target = folderUnder(event.target) ?? folderId;
    if (target === undefined || event.dataTransfer === null) return;
    void readDropped(event.dataTransfer.items).then(({ sources, emptyFolders }) => upload(sources, target, emptyFolders));
  });

  useEffect(() => {
    const over = (event: DragEvent): void => {
      if (!bringsFiles(event)) return;
      event.preventDefault();
      setIsOver(true);
    };
    const leave = (event: DragEvent): void => {
      if (event.relatedTarget === null) setIsOver(false); // out of the window
    };
    const dropped = (event: DragEvent): void => {
      setIsOver(false);
      if (!bringsFiles(event)) return;
      event.preventDefault();
      drop(event);
    };
    addEventListener("dragover", over);
    addEventListener("dragleave", leave);
    addEventListener("drop", dropped);
    return () => {
      removeEventListener("dragover", over);
      removeEventListener("dragleave", leave);
      removeEventListener("drop", dropped);
    };
  }, []);

  return (
    <>
      {children}
      {isOver && (
        <div className="pointer-events-none absolute inset-1 z-10 flex items-start justify-center rounded-md border-2 border-dashed border-kelp bg-kelp-soft/40 p-16">
          <p className="flex items-center gap-2 rounded-md bg-kelp px-4 py-2.5 font-medium text-on-kelp shadow-md">
            <Upload aria-hidden className="size-4" />
            Drop to upload here, or onto a folder
          </p>
        </div>
      )}
    </>
  );
}

function bringsFiles(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes("Files") ?? false;
}

function folderUnder(target: EventTarget | null): string | undefined {
  return target instanceof Element ? target.closest<HTMLElement>("[data-folder-id]")?.dataset["folderId"] : undefined;
}
