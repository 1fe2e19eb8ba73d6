import { KiB } from "../kernel/index.ts";

/** Bytes `from` to `to` (exclusive) of a chunk; never empty, never beyond its end. */
export interface ChunkPart {
  from: number;
  to: number;
}

/** What is checked for itself where parts can be read: each of these of a chunk, and a shorter one at its end. */
export const BLOCK_BYTES: number = 64 * KiB;

/** The whole blocks that a part lies in: what is read to verify it. */
export function blocksAround({ from, to }: ChunkPart, chunkLength: number): ChunkPart {
  return { from: from - (from % BLOCK_BYTES), to: Math.min(chunkLength, Math.ceil(to / BLOCK_BYTES) * BLOCK_BYTES) };
}
