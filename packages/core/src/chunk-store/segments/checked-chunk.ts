/**
 * A chunk with the checks that its record keeps.
 *
 * They are made of bytes whose name is compared only afterwards. A bit that flips in memory before that is told by the name,
 * and one that flips later by the checks; the other way round, checks of damaged bytes would vouch for them for ever.
 */
import { type ChunkId, chunkIdOf } from "../../chunking/index.ts";
import { type CheckedBytes, checksBytes, checksOf } from "../block-checks.ts";
import { requireWhole } from "../verification.ts";
import { isLarge } from "./layout.ts";

/** What its name says. The checks are empty where its record has no place for them. */
export type CheckedChunk = CheckedBytes;

const NONE = Buffer.alloc(0);

/** Throws `chunk.bad_length` or `chunk.mismatch`. */
export function checkedChunk(id: ChunkId, bytes: Buffer): CheckedChunk {
  const checks = checksToKeep(id, bytes);
  requireWhole(id, bytes);
  return { bytes, checks };
}

/** Undefined for bytes that have another name. */
export function checkedUnlessDamaged(id: ChunkId, bytes: Buffer): CheckedChunk | undefined {
  const checks = checksToKeep(id, bytes);
  return chunkIdOf(bytes) === id ? { bytes, checks } : undefined;
}

/** What the checks take in the record of a chunk of this length. */
export function keptChecksBytes(chunkLength: number): number {
  return isLarge(chunkLength) ? checksBytes(chunkLength) : 0;
}

function checksToKeep(id: ChunkId, bytes: Buffer): Buffer {
  return isLarge(bytes.length) ? checksOf(id, bytes) : NONE;
}
