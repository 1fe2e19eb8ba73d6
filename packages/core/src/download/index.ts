export { forgetBadCopy } from "./bad-copies.ts";
export type { BadCopyReason } from "./chunk-reader.ts";
export { type DownloadCounts, type Downloads, type DownloadsOptions, createDownloads } from "./downloads.ts";
export { DownloadError, type DownloadErrorCode } from "./errors.ts";
