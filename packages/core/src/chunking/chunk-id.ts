import { blake3 } from "@napi-rs/blake-hash";

/** A chunk's name: the BLAKE3 hash of its bytes, as 64 lower-case hex digits. */
export type ChunkId = string & { readonly __brand: "ChunkId" };

const CHUNK_ID = /^[0-9a-f]{64}$/;

/** The one name these bytes can have. */
export function chunkIdOf(bytes: Uint8Array): ChunkId {
  return blake3(bytes).toString("hex") as ChunkId;
}

/** Undefined for anything that is not exactly a chunk's name, so that no path, pattern or longer string passes for one. */
export function parseChunkId(text: string): ChunkId | undefined {
  return CHUNK_ID.test(text) ? (text as ChunkId) : undefined;
}

/** As stored in `Chunk.id`: 32 bytes. */
export function chunkIdToBytes(id: ChunkId): Buffer {
  return Buffer.from(id, "hex");
}

export function chunkIdFromBytes(bytes: Uint8Array): ChunkId {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex") as ChunkId;
}
