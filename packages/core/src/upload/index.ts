export { ADD_TO_THE_CHUNK, type ChunkToCommit, commitChunks, type CommitPosition } from "./commit-chunks.ts";
export { UploadError, type UploadErrorCode } from "./errors.ts";
export { type ChunkLookup, createChunkLookup } from "./known-chunks.ts";
export { createUploads, type Uploads, type UploadsOptions } from "./uploads.ts";
