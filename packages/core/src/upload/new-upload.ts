import type pg from "pg";
import { type Actor, parseEntryName, parseRelativePath, requireUploadParent } from "../drive/index.ts";
import { parseUploadMetadata } from "./metadata.ts";
import type { UploadRow } from "./upload-row.ts";

type UploadTarget = Pick<UploadRow, "driveId" | "parentId" | "name" | "relativePath" | "mediaType" | "conflict">;

/**
 * Where the file is to go and how it is to be called, checked before a byte is taken. Rejects with `upload.bad_metadata`
 * or the `DriveError` that the end of the upload would meet.
 */
export async function describeUpload(pool: pg.Pool, actor: Actor, metadata: string): Promise<UploadTarget> {
  const { filename, filetype, parentId, relativePath, conflict } = parseUploadMetadata(metadata);
  const name = parseEntryName(filename);
  parseRelativePath(relativePath, name);
  const parent = await requireUploadParent(pool, actor, parentId);
  return { driveId: actor.driveId, parentId: parent.parentId, name, relativePath, mediaType: filetype, conflict };
}
