export { viewFor } from "./buffers.ts";
export type { ChunkStat, ChunkStore, PutResult, ReadOptions, StoreStats } from "./chunk-store.ts";
export type { ChunkTrash, Purged, TrashedChunk } from "./chunk-trash.ts";
export { type DurableFileSystem, writeDurably } from "./durable-write.ts";
export { ChunkStoreError, type ChunkStoreErrorCode } from "./errors.ts";
export { FileChunkStore, type FileChunkStoreOptions, type LostChunk } from "./file-chunk-store.ts";
export { chunkStoreStatus, isChunkStoreErrorCode } from "./http-status.ts";
export { MemoryChunkStore } from "./memory-chunk-store.ts";
export { requireLength } from "./verification.ts";
