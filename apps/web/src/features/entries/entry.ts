import type { Answers } from "../api/trpc.ts";

/** A file or a folder as lists show it. */
export type Entry = Answers["entries"]["list"]["items"][number];

/** A folder as far as one must know it to put something there. */
export interface FolderRef {
  id: string;
  name: string;
}

/** The address of an entry's bytes; `download` saves them, else the browser shows what it safely can. */
export function contentPath(id: string, { download }: { download: boolean }): string {
  return `/api/files/${id}/content${download ? "?download=1" : ""}`;
}

export function folderPath(folderId: string, rootId: string): string {
  return folderId === rootId ? "/" : `/folder/${folderId}`;
}

/** “report.pdf”, or “3 items”. */
export function nameOf(entries: readonly { name: string }[]): string {
  const [only] = entries;
  return only !== undefined && entries.length === 1 ? `“${only.name}”` : `${entries.length.toLocaleString("en")} items`;
}
