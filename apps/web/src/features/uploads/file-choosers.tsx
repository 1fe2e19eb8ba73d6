"use client";
import type { ChangeEvent } from "react";
import { useCurrentFolderId } from "../shell/use-current-folder.ts";
import { chosenSources, type FileSource } from "./sources.ts";

const ids = { files: "choose-files", folder: "choose-folder", again: "choose-again" } as const;

/** Opens the browser's file dialog; what is chosen goes into the folder of the page, or to the interrupted uploads. */
export function openChooser(which: keyof typeof ids): void {
  document.getElementById(ids[which])?.click();
}

/** Every browser has it, React's types do not. */
const wholeFolders = { webkitdirectory: "" };

interface FileChoosersProps {
  onChosen: (sources: readonly FileSource[], parentId: string) => void;
  onChosenAgain: (sources: readonly FileSource[]) => void;
}

/** The browser's own file dialogs live in inputs; nothing else of these is ever seen. */
export function FileChoosers({ onChosen, onChosenAgain }: FileChoosersProps) {
  const folderId = useCurrentFolderId();
  const add = (sources: FileSource[]): void => {
    if (folderId !== undefined) onChosen(sources, folderId);
  };
  return (
    <div hidden>
      <input id={ids.files} type="file" multiple aria-label="Upload files" onChange={taking(add)} />
      <input id={ids.folder} type="file" {...wholeFolders} aria-label="Upload folder" onChange={taking(add)} />
      <input id={ids.again} type="file" multiple aria-label="Choose interrupted files again" onChange={taking(onChosenAgain)} />
    </div>
  );
}

/** Empties the input, so that the same file can be chosen twice. */
function taking(use: (sources: FileSource[]) => void) {
  return ({ currentTarget }: ChangeEvent<HTMLInputElement>): void => {
    const sources = chosenSources(currentTarget.files ?? []);
    currentTarget.value = "";
    if (sources.length > 0) use(sources);
  };
}
