import { DomainError } from "../kernel/index.ts";

export type DriveErrorCode =
  /** Not there, in the trash, or somebody else's: which of them is nobody's business. */
  | "entry.not_found"
  /** A sibling has this name already. */
  | "entry.name_taken"
  /** A folder would end up inside itself. */
  | "entry.cycle"
  /** The root of a drive is neither renamed, moved nor trashed. */
  | "entry.is_root"
  /** Something inside a file, or the content of a folder, was asked for. */
  | "entry.not_a_folder"
  | "entry.not_a_file"
  /** Only what is in the trash is deleted forever. */
  | "entry.not_trashed"
  /** Folders inside folders beyond `limits.folderDepthMax`. */
  | "entry.too_deep"
  /** Empty, `.`, `..`, or with a character that no name may have. */
  | "name.invalid"
  /** Over `limits.entryNameBytesMax` as UTF-8. */
  | "name.too_long"
  /** Not a cursor that this very listing gave out. */
  | "cursor.invalid"
  /** The drive's quota has no room for it. */
  | "drive.over_quota";

export class DriveError extends DomainError<DriveErrorCode> {}

export function entryNotFound(id: string): DriveError {
  return new DriveError("entry.not_found", "This file or folder is not here any more. Reload to see what is.", { id });
}
