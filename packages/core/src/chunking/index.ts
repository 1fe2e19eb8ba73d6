export { type ChunkId, chunkIdFromBytes, chunkIdOf, chunkIdToBytes, parseChunkId } from "./chunk-id.ts";
