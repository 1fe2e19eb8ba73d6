import { createHash } from "node:crypto";
import { type ChunkId, chunkIdOf } from "../../../chunking/index.ts";
import { KiB, limits, MiB } from "../../../kernel/index.ts";

export interface ModelChunk {
  id: ChunkId;
  bytes: Buffer;
}

/** Around every size that a page, a header or the longest chunk makes special; mostly short, so that much happens in a second. */
const LENGTHS = [
  1,
  2,
  7,
  63,
  100,
  511,
  512,
  1_000,
  4 * KiB - 96,
  4 * KiB - 48,
  4 * KiB - 1,
  4 * KiB,
  4 * KiB + 1,
  5_000,
  8 * KiB,
  10_000,
  20_000,
  64 * KiB,
  100_000,
  256 * KiB,
  MiB + 1,
  limits.chunkBytesMax - 1,
  limits.chunkBytesMax,
];

/** All that a model run knows; the same in every process. */
export const modelChunks: readonly ModelChunk[] = LENGTHS.map((length) => {
  const bytes = createHash("shake256", { outputLength: length }).update(String(length)).digest();
  return { id: chunkIdOf(bytes), bytes };
});
