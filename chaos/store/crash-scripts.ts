/** What a store is in the middle of when it is struck: steps one after the other, the actions of one step at once. */
import { createHash } from "node:crypto";
import { type ChunkId, chunkIdOf } from "@holdfast/core/chunking";

export type Action = { kind: "put" | "trash" | "restore" | "delete"; chunk: number } | { kind: "purge" | "compact" | "reopen" };

export type Step = readonly Action[];

export interface ScriptChunk {
  id: ChunkId;
  bytes: Buffer;
}

/** Tiny, of a page, packed, beside the gathered writes, and far beyond. */
const LENGTHS = [100, 4_096, 5_000, 70_000, 200_000];

const made = new Map<number, ScriptChunk>();

/** The chunk that every process knows by this number. */
export function scriptChunk(chunk: number): ScriptChunk {
  const known = made.get(chunk);
  if (known !== undefined) return known;
  const bytes = createHash("shake256", { outputLength: LENGTHS[chunk % LENGTHS.length]! })
    .update(`chunk ${chunk}`)
    .digest();
  const fresh = { id: chunkIdOf(bytes), bytes };
  made.set(chunk, fresh);
  return fresh;
}

const each = (kind: "put" | "trash" | "restore" | "delete", ...chunks: number[]): Action[] => chunks.map((chunk) => ({ kind, chunk }));
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index);

export const crashScripts = {
  append: [
    each("put", 0),
    each("put", 4),
    each("put", 1, 2, 3, 5, 6, 9),
    [...each("trash", 0, 2, 9), ...each("put", 7)],
    [...each("restore", 2), ...each("delete", 3, 4)],
    each("put", 3, 0),
    [{ kind: "purge" }],
    each("put", 4, 9, 8),
  ],
  /** Segments that hold nothing any more are used again; what was in them must not come back. */
  recycle: [
    each("put", ...range(0, 15)),
    [...each("delete", ...range(0, 10)), ...each("trash", ...range(10, 15))],
    [{ kind: "purge" }],
    [{ kind: "compact" }],
    each("put", ...range(20, 30)),
    each("delete", ...range(20, 24)),
    [{ kind: "compact" }],
    each("put", ...range(0, 10)),
  ],
  /** What is still needed is copied out of segments that hold little, while others write. */
  compaction: [
    each("put", ...range(0, 20)),
    [...each("delete", 0, 4, 8, 9, 13, 14, 18), ...each("trash", 1, 3, 19)],
    [{ kind: "compact" }, ...each("put", 21, 23, 24), ...each("delete", 2), ...each("trash", 5), ...each("restore", 3)],
    [{ kind: "compact" }],
    each("put", 4, 9),
  ],
  reopen: [
    each("put", ...range(0, 8)),
    [...each("delete", 0, 4), ...each("trash", 1, 3)],
    [{ kind: "reopen" }],
    each("put", 4, 10, 13),
    [{ kind: "reopen" }],
  ],
} satisfies Record<string, readonly Step[]>;

export type CrashScriptName = keyof typeof crashScripts;

/** The chunks that a script names. */
export function chunksOf(steps: readonly Step[]): number[] {
  return [...new Set(steps.flat().flatMap((action) => ("chunk" in action ? [action.chunk] : [])))];
}
