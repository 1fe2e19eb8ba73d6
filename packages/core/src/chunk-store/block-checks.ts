/**
 * Checks of a chunk's blocks, so that a part of it can be believed without the rest.
 *
 * A check is the CRC-32 of a block, begun at a value of its own for each chunk and place. It finds every flip of one or two
 * bits, every damage within 32 bits in a row, and anything else a disk does but once in 4 billion times. Against people there
 * is the chunk's name. Whatever is stronger, of what is at hand, costs the write path more than half of what the name does.
 */
import { crc32 } from "@node-rs/crc32";
import type { ChunkId } from "../chunking/index.ts";
import { BLOCK_BYTES } from "./chunk-part.ts";

/** Bytes of a chunk, or of some of its blocks, and the checks of all its blocks. */
export interface CheckedBytes {
  bytes: Buffer;
  checks: Buffer;
}

const CHECK_BYTES = 4;

/** What the checks of a chunk of this length take. */
export function checksBytes(chunkLength: number): number {
  return Math.ceil(chunkLength / BLOCK_BYTES) * CHECK_BYTES;
}

/** Of the blocks from the one that begins at `from` on. Equal blocks have another check in another chunk, and in another place. */
export function checksOf(id: ChunkId, bytes: Buffer, from = 0): Buffer {
  const start = Number.parseInt(id.slice(0, 8), 16) + from / BLOCK_BYTES;
  const checks = Buffer.allocUnsafe(checksBytes(bytes.length));
  for (let at = 0, index = 0; at < bytes.length; at += BLOCK_BYTES, index++) {
    checks.writeUInt32BE(crc32(bytes.subarray(at, at + BLOCK_BYTES), (start + index) >>> 0), index * CHECK_BYTES);
  }
  return checks;
}

/** Whether the blocks of a chunk, from the one that begins at `from` on, are as they were when its checks were made. */
export function areBlocksWhole(id: ChunkId, { bytes, checks }: CheckedBytes, from: number): boolean {
  const now = checksOf(id, bytes, from);
  const at = (from / BLOCK_BYTES) * CHECK_BYTES;
  return now.equals(checks.subarray(at, at + now.length));
}
