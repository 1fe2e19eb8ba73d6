/**
 * What is known of one upload in this browser. The server's own words on it (how much is durable) come with every attempt;
 * what is here is for people to see and for the queue to decide by.
 */
export type ConflictPolicy = "keep-both" | "replace" | "skip";

export type Phase =
  /** Waits for its turn. */
  | { name: "queued" }
  | { name: "sending" }
  /** The server or the network is away; it tries again by itself. */
  | { name: "waiting"; why: string }
  /** The session ended; it goes on after signing in again. */
  | { name: "signed-out" }
  | { name: "paused" }
  /** Only a person can help. */
  | { name: "failed"; why: string }
  /** Left over from before a reload: its bytes must be found again, by the browser itself or by choosing the file. */
  | { name: "interrupted"; reopenable: boolean }
  | { name: "done"; placed: PlacedFile };

/** Where a finished upload is now. */
export interface PlacedFile {
  entryId: string | undefined;
  /** The folder it was meant for was gone: it is in My Drive. */
  inRoot: boolean;
}

/** What it takes to upload a file, apart from its bytes. */
export interface UploadJob {
  /** Of this browser alone. */
  id: string;
  name: string;
  /** Folders to make below the parent, "photos/2024"; empty for none. */
  folders: string;
  /** Undefined for the root, in uploads that another device began. */
  parentId: string | undefined;
  sizeBytes: number;
  /** Undefined when another device began it and this one cannot know. */
  lastModifiedMs: number | undefined;
  mediaType: string;
  conflict: ConflictPolicy;
  /** Where the server receives it; known once it has been created there. */
  url?: string;
}

export interface Upload extends UploadJob {
  phase: Phase;
  sentBytes: number;
  bytesPerSecond: number;
}

/** Holds one of the few places of uploads that go on at once. */
export function isActive({ phase }: Upload): boolean {
  return phase.name === "sending" || phase.name === "waiting";
}

/** Would be cut short if the page closed now. */
export function isUnderWay(upload: Upload): boolean {
  return isActive(upload) || upload.phase.name === "queued" || upload.phase.name === "signed-out";
}
