"use client";
import { toast, wordsFor } from "@holdfast/ui";
import { useCallback } from "react";
import { useTRPCClient } from "../api/trpc.ts";
import { type Question, type Reply, settleConflicts, topName } from "./conflicts.ts";
import { matchFiles } from "./interrupted.ts";
import type { FileSource } from "./sources.ts";
import type { ConflictPolicy, UploadJob } from "./upload.ts";
import { newId, unlessUnavailable, type UploadSession } from "./upload-session.ts";

/** Names and paths that one request to the server takes. */
const NAMES_MAX = 1_000;

/** `emptyFolders` are made below the parent, beside those that come with their files. */
export type AddUploads = (sources: readonly FileSource[], parentId: string, emptyFolders?: readonly string[]) => Promise<void>;

interface Options {
  session: UploadSession;
  userId: string | undefined;
  ask: (question: Question) => Promise<Reply | undefined>;
  /** The drive holds something new that is no upload. */
  onMade: () => void;
}

/** Puts files in line for a folder: what was interrupted before goes on, and taken names are asked about first. */
export function useAddUploads({ session, userId, ask, onMade }: Options): AddUploads {
  const client = useTRPCClient();

  return useCallback(
    async (sources, parentId, emptyFolders = []) => {
      if (sources.length + emptyFolders.length === 0) toast("There are no files in it to upload.");
      if (emptyFolders.length > 0) await makeFolders(client, parentId, emptyFolders).then(onMade, sayWhy);
      const fresh = resumeKnown(session, sources, parentId);
      if (fresh.length === 0) return;

      const isFolder = new Map(fresh.map((source) => [nameInTarget(source), source.folders !== ""]));
      const taken = await takenAmong(client, [...isFolder.keys()], parentId);
      const policies = await settleConflicts(
        taken.map((name) => ({ name, isFolder: isFolder.get(name) ?? false })),
        ask,
      );
      if (policies === undefined) return;
      addToQueue(session, userId, planUploads(fresh, parentId, policies));
    },
    [client, session, userId, ask, onMade],
  );
}

/** The same file dropped on the same folder again continues its upload; returns the rest. */
function resumeKnown({ queue }: UploadSession, sources: readonly FileSource[], parentId: string): FileSource[] {
  const interrupted = queue.view().uploads.filter(({ phase, parentId: parent }) => phase.name === "interrupted" && parent === parentId);
  const { matches, unknown } = matchFiles(interrupted, sources);
  for (const { id, source } of matches) queue.supply(id, source.file);
  return unknown;
}

async function makeFolders(client: ReturnType<typeof useTRPCClient>, parentId: string, paths: readonly string[]): Promise<void> {
  for (let start = 0; start < paths.length; start += NAMES_MAX) {
    await client.entries.createFolders.mutate({ parentId, paths: paths.slice(start, start + NAMES_MAX) });
  }
}

function sayWhy(error: unknown): void {
  toast.error(`The empty folders could not be made. ${wordsFor(error)}`);
}

/** In the order they were given. */
async function takenAmong(client: ReturnType<typeof useTRPCClient>, names: readonly string[], parentId: string): Promise<string[]> {
  const taken = new Set<string>();
  try {
    for (let start = 0; start < names.length; start += NAMES_MAX) {
      const found = await client.entries.takenNames.mutate({ parentId, names: names.slice(start, start + NAMES_MAX) });
      for (const name of found) taken.add(name);
    }
  } catch {
    return []; // nobody to ask now; keeping both harms nothing, and the upload itself says what is wrong
  }
  return names.filter((name) => taken.has(name));
}

interface PlannedUpload {
  job: UploadJob;
  source: FileSource;
}

function planUploads(sources: readonly FileSource[], parentId: string, policies: ReadonlyMap<string, ConflictPolicy>): PlannedUpload[] {
  return sources.flatMap((source) => {
    const conflict = policies.get(nameInTarget(source)) ?? "keep-both";
    // A skipped folder may still have files that are new in it; a skipped file need not travel at all.
    if (conflict === "skip" && source.folders === "") return [];
    return [{ job: jobFor(source, parentId, conflict), source }];
  });
}

function jobFor({ file, folders }: FileSource, parentId: string, conflict: ConflictPolicy): UploadJob {
  const { name, size, lastModified, type } = file;
  return { id: newId(), name, folders, parentId, sizeBytes: size, lastModifiedMs: lastModified, mediaType: type, conflict };
}

function addToQueue({ queue, journal }: UploadSession, userId: string | undefined, planned: readonly PlannedUpload[]): void {
  if (userId !== undefined) {
    unlessUnavailable(journal.put(planned.map(({ job, source }) => ({ ...job, userId, origin: source.origin }))));
  }
  queue.add(planned.map(({ job, source }) => ({ job, file: source.file })));
}

function nameInTarget({ file, folders }: FileSource): string {
  return topName({ folders, name: file.name });
}
