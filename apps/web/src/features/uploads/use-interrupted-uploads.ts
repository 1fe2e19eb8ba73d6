"use client";
import { toast } from "@holdfast/ui";
import { useCallback, useEffect } from "react";
import { useTRPCClient } from "../api/trpc.ts";
import { interruptedUploads, isSameFile, matchFiles, uploadUrl } from "./interrupted.ts";
import type { JournalRecord } from "./journal.ts";
import { type FileSource, reopen } from "./sources.ts";
import { isFinished } from "./transfer.ts";
import type { Upload } from "./upload.ts";
import { unlessUnavailable, type UploadSession } from "./upload-session.ts";

/** Brings back what was unfinished when somebody comes in, and resumes it. */
export function useInterruptedUploads(session: UploadSession, userId: string | undefined) {
  const client = useTRPCClient();

  useEffect(() => {
    if (userId === undefined) return;
    const restore = async (): Promise<void> => {
      const [{ interrupted, elsewhere }, onServer] = await Promise.all([session.journal.read(userId), client.uploads.unfinished.query()]);
      const onServerUrls = new Set(onServer.map((upload) => uploadUrl(upload.id)));
      const open = await withoutFinished(session, interrupted, onServerUrls);
      const running = session.queue.view().uploads.map(({ id, url }) => ({ id, url }));
      const isHere = (job: { id: string; url?: string }): boolean =>
        running.some(({ id, url }) => id === job.id || (url !== undefined && url === job.url));

      for (const { id, origin } of open) if (origin) session.origins.set(id, origin);
      session.queue.addInterrupted(interruptedUploads(open, elsewhere, onServer).filter(({ job }) => !isHere(job)));
    };
    restore().catch(() => undefined); // offering old uploads is a kindness; without it everything else still works
  }, [client, session, userId]);

  return {
    /** Opens the files again that the browser kept handles of. Call it from a click: the browser may ask. */
    resumeInterrupted: useCallback(() => void reopenAll(session), [session]),
    /** Continues with files that a person chose again. */
    resumeWith: useCallback((chosen: readonly FileSource[]) => supplyChosen(session, chosen), [session]),
  };
}

/** Some were complete on the server when the page went away; they are no longer anybody's worry. */
async function withoutFinished({ journal }: UploadSession, records: readonly JournalRecord[], onServer: ReadonlySet<string>) {
  const finished = new Set<string>();
  for (const { id, url } of records) {
    if (url !== undefined && !onServer.has(url) && (await isFinished(url))) finished.add(id);
  }
  unlessUnavailable(journal.remove([...finished]));
  return records.filter(({ id }) => !finished.has(id));
}

function interruptedIn({ queue }: UploadSession): Upload[] {
  return queue.view().uploads.filter(({ phase }) => phase.name === "interrupted");
}

async function reopenAll(session: UploadSession): Promise<void> {
  for (const upload of interruptedIn(session)) {
    const origin = session.origins.get(upload.id);
    if (origin === undefined) continue;
    const file = await reopen(origin);
    if (file !== undefined && isSameFile(upload, file)) session.queue.supply(upload.id, file);
    else session.queue.mustChoose(upload.id);
  }
}

function supplyChosen(session: UploadSession, chosen: readonly FileSource[]): void {
  const { matches, unknown } = matchFiles(interruptedIn(session), chosen);
  for (const { id, source } of matches) session.queue.supply(id, source.file);
  const [stranger] = unknown;
  if (matches.length === 0 && stranger !== undefined) {
    toast.error(`“${stranger.file.name}” is not the file that was interrupted`, {
      description: "Its name, size or date is different. Choose the same file to continue, or upload this one as new.",
    });
  }
}
