export { forgetBadCopy, recordBadCopies } from "./bad-copies.ts";
export { type BadCopyReason, type ChunkReader, createChunkReader } from "./chunk-reader.ts";
export { type DownloadCounts, type Downloads, type DownloadsOptions, createDownloads } from "./downloads.ts";
export { DownloadError, type DownloadErrorCode } from "./errors.ts";
