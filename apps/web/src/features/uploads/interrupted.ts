/** Uploads that a reload or another device left unfinished, and finding their bytes again. */
import type { JournalRecord } from "./journal.ts";
import type { InterruptedUpload } from "./queue.ts";
import type { UploadJob } from "./upload.ts";

/** An upload as the server lists it. */
export interface ServerUpload {
  id: string;
  name: string;
  offset: number;
  length: number | null;
  parentId: string | null;
}

export function uploadUrl(serverId: string): string {
  return `/api/upload/${serverId}`;
}

/**
 * What to offer for resuming: everything this browser was at, and what only the server knows of. What another living page
 * is sending is left to it.
 */
export function interruptedUploads(
  interrupted: readonly JournalRecord[],
  elsewhere: readonly JournalRecord[],
  onServer: readonly ServerUpload[],
): InterruptedUpload[] {
  const offsets = new Map(onServer.map((upload) => [uploadUrl(upload.id), upload.offset]));
  const ours = interrupted.map(({ userId: _userId, pageId: _pageId, origin, ...job }) => ({
    job,
    sentBytes: offsets.get(job.url ?? "") ?? 0,
    reopenable: origin !== undefined,
  }));
  const records = [...interrupted, ...elsewhere];
  const foreign = onServer.filter((upload) => upload.length !== null && !records.some((record) => isTheSame(record, upload)));
  return [...ours, ...foreign.map(fromServer)];
}

/** A record without URL may have been cut off while the server created it: that beginning is not offered beside it. */
function isTheSame({ url, name, sizeBytes, parentId }: JournalRecord, upload: ServerUpload): boolean {
  if (url !== undefined) return url === uploadUrl(upload.id);
  return name === upload.name && sizeBytes === upload.length && parentId === upload.parentId;
}

function fromServer({ id, name, offset, length, parentId }: ServerUpload): InterruptedUpload {
  const job: UploadJob = {
    id: `server-${id}`,
    name,
    folders: "",
    parentId: parentId ?? undefined,
    sizeBytes: length ?? 0,
    lastModifiedMs: undefined,
    mediaType: "",
    conflict: "keep-both", // the server keeps the one chosen at the beginning
    url: uploadUrl(id),
  };
  return { job, sentBytes: offset, reopenable: false };
}

/** The same file as far as a browser can tell: bytes are only compared by the server. */
export function isSameFile(job: UploadJob, file: Pick<File, "name" | "size" | "lastModified">): boolean {
  const sameDate = job.lastModifiedMs === undefined || job.lastModifiedMs === file.lastModified;
  return job.name === file.name && job.sizeBytes === file.size && sameDate;
}

/** Gives each interrupted upload its file out of those chosen; each file serves one upload. */
export function matchFiles<Chosen extends { file: Pick<File, "name" | "size" | "lastModified">; folders: string }>(
  jobs: readonly UploadJob[],
  chosen: readonly Chosen[],
): { matches: { id: string; source: Chosen }[]; unknown: Chosen[] } {
  const left = new Set(jobs);
  const matches: { id: string; source: Chosen }[] = [];
  const unknown: Chosen[] = [];
  for (const source of chosen) {
    const candidates = [...left].filter((job) => isSameFile(job, source.file));
    // Equal names in different folders: the folder decides where the chooser tells it.
    const job = candidates.find(({ folders }) => folders === source.folders) ?? (source.folders === "" ? candidates[0] : undefined);
    if (job === undefined) unknown.push(source);
    else {
      left.delete(job);
      matches.push({ id: job.id, source });
    }
  }
  return { matches, unknown };
}
