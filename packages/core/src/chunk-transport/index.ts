export { ChunkStreams } from "./chunk-streams.ts";
export { Refused } from "./client-session.ts";
export { acceptChunkStream, asksForChunkStream, CHUNK_STREAM_PATH, NoChunkStream, openChunkStream } from "./handshake.ts";
export type { ChunkDoor, ReadChunk, ServerSession } from "./server-session.ts";
