/**
 * Checks of a chunk's blocks, so that a part of it can be read and believed without the rest.
 *
 * A check is the CRC-32 of a block, begun at a value of its own for each chunk and place. It finds every flip of one or two
 * bits, every damage within 32 bits in a row, and anything else a disk does but once in 4 billion times. Against people there
 * is the chunk's name. Whatever is stronger, of what is at hand, costs the write path more than half of what the name does.
 *
 * They are made of bytes whose name is compared only afterwards. A bit that flips in memory before that is told by the name,
 * and one that flips later by the checks; the other way round, checks of damaged bytes would vouch for them for ever.
 */
import { crc32 } from "@node-rs/crc32";
import { type ChunkId, chunkIdOf } from "../../chunking/index.ts";
import { BLOCK_BYTES } from "../chunk-part.ts";
import { requireWhole } from "../verification.ts";
import { isLarge } from "./layout.ts";

/** A chunk that is what its name says, and the checks of its blocks; those are empty where its record has no place for them. */
export interface CheckedChunk {
  bytes: Buffer;
  checks: Buffer;
}

const CHECK_BYTES = 4;
const NONE = Buffer.alloc(0);

/** Throws `chunk.bad_length` or `chunk.mismatch`. */
export function checkedChunk(id: ChunkId, bytes: Buffer): CheckedChunk {
  const checks = checksOf(id, bytes);
  requireWhole(id, bytes);
  return { bytes, checks };
}

/** Undefined for bytes that have another name. */
export function checkedUnlessDamaged(id: ChunkId, bytes: Buffer): CheckedChunk | undefined {
  const checks = checksOf(id, bytes);
  return chunkIdOf(bytes) === id ? { bytes, checks } : undefined;
}

/** What the checks of a chunk of this length take. */
export function checksBytes(chunkLength: number): number {
  return isLarge(chunkLength) ? Math.ceil(chunkLength / BLOCK_BYTES) * CHECK_BYTES : 0;
}

/** Whether the blocks of a chunk, from the one that begins at `from` on, are as they were when its checks were made. */
export function areBlocksWhole(id: ChunkId, { bytes, checks }: CheckedChunk, from: number): boolean {
  const now = checksFrom(id, bytes, from);
  const at = (from / BLOCK_BYTES) * CHECK_BYTES;
  return now.equals(checks.subarray(at, at + now.length));
}

function checksOf(id: ChunkId, bytes: Buffer): Buffer {
  return isLarge(bytes.length) ? checksFrom(id, bytes, 0) : NONE;
}

/** Of the blocks from the one that begins at `from` on. Equal blocks have another check in another chunk, and in another place. */
function checksFrom(id: ChunkId, bytes: Buffer, from: number): Buffer {
  const start = Number.parseInt(id.slice(0, 8), 16) + from / BLOCK_BYTES;
  const checks = Buffer.allocUnsafe(Math.ceil(bytes.length / BLOCK_BYTES) * CHECK_BYTES);
  for (let at = 0, index = 0; at < bytes.length; at += BLOCK_BYTES, index++) {
    checks.writeUInt32BE(crc32(bytes.subarray(at, at + BLOCK_BYTES), (start + index) >>> 0), index * CHECK_BYTES);
  }
  return checks;
}
