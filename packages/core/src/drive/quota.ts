/**
 * What a drive holds and may hold. Every committed version counts, old ones and trashed ones too: they occupy the disks.
 * What uploads under way are still going to need is claimed when they begin, so that many of them cannot promise the same
 * room to each other.
 */
import type pg from "pg";
import type { Queryable } from "./entry.ts";
import { DriveError } from "./errors.ts";

/** Rejects with `drive.over_quota` when `sizeBytes` more would not fit. Binding only while the drive is locked. */
export async function requireRoom(db: Queryable, driveId: string, sizeBytes: number): Promise<void> {
  const { rows } = await db.query<{ usedBytes: number; quotaBytes: number | null }>(
    `SELECT used_bytes AS "usedBytes", quota_bytes AS "quotaBytes" FROM drive WHERE id = $1`,
    [driveId],
  );
  const { usedBytes, quotaBytes } = rows[0]!;
  if (quotaBytes === null || usedBytes + sizeBytes <= quotaBytes) return;
  throw overQuota({ usedBytes, quotaBytes, sizeBytes });
}

/**
 * Rejects with `drive.over_quota` when the files and the claims of all open uploads do not fit together. To be called after
 * the change of a claim, in its transaction, which then holds the drive's lock. A drive without a quota is not locked.
 */
export async function requireRoomForClaims(tx: pg.PoolClient, driveId: string): Promise<void> {
  const { rowCount } = await tx.query("SELECT FROM drive WHERE id = $1 AND quota_bytes IS NOT NULL FOR NO KEY UPDATE", [driveId]);
  if (rowCount === 0) return;
  const leftBytes = await unclaimedBytes(tx, driveId); // a statement of its own: it sees what the lock was waiting for
  if (leftBytes < 0) throw overQuota({ missingBytes: -leftBytes });
}

/** In a statement with `drive`: what neither files nor open uploads need; nothing without a quota. */
export const UNCLAIMED_BYTES = unclaimedBut("NULL");

/** An upload claims its length, or what it has so far while its length is unknown. */
function unclaimedBut(uploadId: string): string {
  return `CASE WHEN quota_bytes IS NOT NULL THEN quota_bytes - used_bytes - (
    SELECT coalesce(sum(coalesce(length, "offset")), 0)::bigint FROM upload
     WHERE drive_id = drive.id AND state IN ('receiving', 'complete') AND upload.id IS DISTINCT FROM ${uploadId}::uuid
  ) END`;
}

/** The same in numbers: negative when too much is needed, infinite without a quota. The claim of `butFor`, an upload, is not counted. */
export async function unclaimedBytes(db: Queryable, driveId: string, butFor?: string): Promise<number> {
  const { rows } = await db.query<{ leftBytes: number | null }>({
    name: "drive-unclaimed-bytes",
    text: `SELECT ${unclaimedBut("$2")} AS "leftBytes" FROM drive WHERE id = $1`,
    values: [driveId, butFor],
  });
  return rows[0]!.leftBytes ?? Infinity;
}

export function overQuota(details: Record<string, number>): DriveError {
  return new DriveError(
    "drive.over_quota",
    "There is no room left for this in your Drive, unfinished uploads included. Cancel those, empty the trash, or ask an admin for more.",
    details,
  );
}

/** The caller holds the drive's lock. */
export async function addToUsedBytes(tx: pg.PoolClient, driveId: string, deltaBytes: number): Promise<void> {
  const text = "UPDATE drive SET used_bytes = used_bytes + $2 WHERE id = $1";
  await tx.query({ name: "drive-add-to-used-bytes", text, values: [driveId, deltaBytes] });
}
