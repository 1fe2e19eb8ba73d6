import { DomainError, limits } from "../kernel/index.ts";

export type UploadErrorCode =
  /** No such upload, or somebody else's: which of them is nobody's business. */
  | "upload.not_found"
  | "upload.expired"
  /** Every byte arrived, but it can never become a file; the message says why. */
  | "upload.failed"
  /** A header that the protocol asks for is missing, malformed or there twice; `details.header` names it. */
  | "upload.bad_header"
  | "upload.bad_metadata"
  | "upload.unsupported_version"
  | "upload.bad_media_type"
  /** Longer than any upload may be. */
  | "upload.too_large"
  /** More bytes than were announced. */
  | "upload.too_long"
  /** Not where the upload stands, or another request moved it on meanwhile. */
  | "upload.wrong_offset"
  /** Copies that were counted on have been let go of since: nothing was committed, and the same bytes are stored anew when they come again. */
  | "upload.copies_gone"
  /** The final upload of a concatenation is made of its parts; it takes no bytes of its own. */
  | "upload.is_final"
  | "upload.bad_checksum"
  | "upload.checksum_mismatch"
  /** A part of a concatenation is missing bytes, or is not a part. */
  | "upload.part_unfinished"
  /** Another request holds this upload and does not let go. */
  | "upload.busy"
  /** The drive has `limits.uploadsOpenMax` unfinished uploads. */
  | "upload.too_many_open"
  /** The drive has used up its short steps; see `limits.uploadStepBytesMin`. */
  | "upload.steps_too_short";

export class UploadError extends DomainError<UploadErrorCode> {}

export function uploadNotFound(): UploadError {
  return new UploadError("upload.not_found", "This upload does not exist any more. Start it again.");
}

export function badHeader(header: string, message: string): UploadError {
  return new UploadError("upload.bad_header", message, { header });
}

export function wrongOffset(): UploadError {
  return new UploadError("upload.wrong_offset", "The upload stands elsewhere. Ask where with a HEAD request and go on from there.");
}

export function copiesGone(): UploadError {
  return new UploadError("upload.copies_gone", "Copies of these bytes were just being cleaned up. Send them again; they are stored anew.");
}

export function tooLarge(): UploadError {
  return new UploadError("upload.too_large", `A file may have at most ${limits.uploadBytesMax} bytes.`, {
    bytesMax: limits.uploadBytesMax,
  });
}

export function tooManyOpen(): UploadError {
  return new UploadError(
    "upload.too_many_open",
    `You have ${limits.uploadsOpenMax} unfinished uploads. Finish or cancel some of them, then start this one again.`,
    { openMax: limits.uploadsOpenMax },
  );
}

export function tooLong(): UploadError {
  return new UploadError("upload.too_long", "More bytes arrived than the upload announced. Start it again with the right length.");
}
