export { type ChunkToPut, intoBundles } from "./bundle.ts";
export { ChunkStreams } from "./chunk-streams.ts";
export { Altered, type ClientSession, Refused } from "./client-session.ts";
export { acceptChunkStream, asksForChunkStream, CHUNK_STREAM_PATH, NoChunkStream, openChunkStream } from "./handshake.ts";
export type { ChunkDoor, ReadChunk, ServerSession } from "./server-session.ts";
