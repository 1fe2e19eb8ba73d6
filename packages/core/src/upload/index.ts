export { UploadError, type UploadErrorCode } from "./errors.ts";
export { createUploads, type Uploads, type UploadsOptions } from "./uploads.ts";
