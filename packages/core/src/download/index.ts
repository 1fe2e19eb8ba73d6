export { type DownloadCounts, type Downloads, type DownloadsOptions, createDownloads } from "./downloads.ts";
export { DownloadError, type DownloadErrorCode } from "./errors.ts";
