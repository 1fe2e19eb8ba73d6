import type { Actor } from "./actor.ts";
import type { Queryable } from "./entry.ts";
import { DriveError, entryNotFound } from "./errors.ts";
import { isUuid, requireEntry } from "./tree.ts";

/** What a download needs to know of a file before its first byte. */
export interface Content {
  entryId: string;
  name: string;
  mediaType: string;
  /** Also the ETag: a version never changes. */
  versionId: string;
  sizeBytes: number;
  modifiedAt: Date;
}

/** The current version when `versionId` is undefined. Rejects with `entry.not_found` or `entry.not_a_file`. */
export async function findContent(db: Queryable, actor: Actor, entryId: string, versionId: string | undefined): Promise<Content> {
  const entry = await requireEntry(db, actor, entryId);
  if (entry.kind === "folder")
    throw new DriveError("entry.not_a_file", "This is a folder. Open it, and download what is inside.", { id: entryId });
  if (versionId !== undefined && !isUuid(versionId)) throw entryNotFound(entryId);
  const { rows } = await db.query<Content>(
    `SELECT e.id AS "entryId", e.name, e.media_type AS "mediaType", v.id AS "versionId", v.size_bytes AS "sizeBytes",
            CASE WHEN v.id = e.current_version_id THEN e.modified_at ELSE v.created_at END AS "modifiedAt"
     FROM entry e JOIN version v ON v.entry_id = e.id
     WHERE e.id = $1 AND v.id = coalesce($2::uuid, e.current_version_id) AND v.state = 'committed'`,
    [entryId, versionId],
  );
  const content = rows[0];
  if (content === undefined) throw entryNotFound(entryId);
  return content;
}
