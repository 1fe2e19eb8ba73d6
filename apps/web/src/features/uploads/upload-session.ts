/** The queue, the journal and the server, put together: once per page. */
import { createJournal, type Journal } from "./journal.ts";
import { createUploadQueue, type UploadQueue } from "./queue.ts";
import type { FileOrigin } from "./sources.ts";
import { discardUpload, startTransfer } from "./transfer.ts";
import type { Upload } from "./upload.ts";

export interface UploadSession {
  queue: UploadQueue;
  journal: Journal;
  /** How the files of interrupted uploads can be opened again, by upload. */
  origins: Map<string, FileOrigin>;
}

export function createUploadSession({ onPlaced }: { onPlaced: (upload: Upload) => void }): UploadSession {
  const journal = createJournal(newId());
  const queue = createUploadQueue({
    startTransfer,
    discard: discardUpload,
    onPlaced,
    onUrl: (job) => unlessUnavailable(journal.setUrl(job)),
    onForgotten: (ids) => unlessUnavailable(journal.remove(ids)),
  });
  return { queue, journal, origins: new Map() };
}

/** Some browsers have no journal in private windows: uploads work all the same, only a reload forgets them. */
export function unlessUnavailable(writing: Promise<void>): void {
  writing.catch(() => undefined);
}

/** `crypto.randomUUID` exists on secure origins only; a Drive in a home network is not always one. */
export function newId(): string {
  return crypto.getRandomValues(new Uint32Array(4)).join("-");
}
