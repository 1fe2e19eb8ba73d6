import { type ChunkId, chunkIdOf } from "../chunking/index.ts";
import { limits } from "../kernel/index.ts";
import { ChunkStoreError } from "./errors.ts";

/** Every door into a store passes here: throws `chunk.bad_length` or `chunk.mismatch`. */
export function requireWhole(id: ChunkId, bytes: Buffer): void {
  requireLength(bytes.length);
  if (chunkIdOf(bytes) !== id) {
    throw new ChunkStoreError("chunk.mismatch", "The bytes do not match the chunk's name. They were changed on the way; send them again.", {
      id,
    });
  }
}

export function requireLength(length: number): void {
  if (length >= 1 && length <= limits.chunkBytesMax) return;
  throw new ChunkStoreError("chunk.bad_length", `A chunk has 1 to ${limits.chunkBytesMax} bytes, not ${length}.`, { length });
}

export function notFound(id: ChunkId): ChunkStoreError {
  return new ChunkStoreError("chunk.not_found", "This node does not hold the chunk.", { id });
}

export function corrupt(id: ChunkId): ChunkStoreError {
  return new ChunkStoreError("chunk.corrupt", "The copy on this node was damaged and has been set aside. Read another copy.", { id });
}

export function full(details: Readonly<Record<string, unknown>>): ChunkStoreError {
  return new ChunkStoreError("store.full", "This node has no room beyond its reserve. Free some space or add a node.", details);
}
