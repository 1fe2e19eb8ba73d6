import type { Actor } from "./actor.ts";
import type { Queryable } from "./entry.ts";

/** An upload that can be resumed, on this device or another. */
export interface UnfinishedUpload {
  id: string;
  name: string;
  /** Bytes that need not be sent again. */
  offset: number;
  /** Null until the client has said how long it is. */
  length: number | null;
  parentId: string | null;
  expiresAt: Date;
}

/** Latest first. Parts of a parallel upload are not listed; they mean nothing to a person. */
export async function listUnfinishedUploads(db: Queryable, actor: Actor): Promise<UnfinishedUpload[]> {
  const { rows } = await db.query<UnfinishedUpload>(
    `SELECT id, name, "offset", length, parent_id AS "parentId", expires_at AS "expiresAt" FROM upload
     WHERE drive_id = $1 AND state = 'receiving' AND role = 'whole' AND expires_at > now() ORDER BY created_at DESC, id DESC LIMIT 1000`,
    [actor.driveId],
  );
  return rows;
}
