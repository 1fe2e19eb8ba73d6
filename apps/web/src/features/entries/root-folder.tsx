"use client";
import { useSignedInAccount } from "../session/use-account.ts";
import { FolderView } from "./folder-view.tsx";

export function RootFolder() {
  return <FolderView folderId={useSignedInAccount().rootId} />;
}
