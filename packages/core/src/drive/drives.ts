import { randomUUIDv7 } from "node:crypto";
import { inTransaction } from "@holdfast/db";
import type pg from "pg";

const ROOT_NAME = "My Drive";

/**
 * A user's drive and its root, made when they are missing. May be called any number of times and by several processes at
 * once: making an account and making its drive are two steps, and a crash may come between.
 */
export async function ensureDrive(pool: pg.Pool, userId: string): Promise<{ driveId: string; rootId: string }> {
  return await inTransaction(pool, async (tx) => {
    await tx.query("INSERT INTO drive (id, owner_id) VALUES ($1, $2) ON CONFLICT (owner_id) DO NOTHING", [randomUUIDv7(), userId]);
    await tx.query(
      `INSERT INTO entry (id, drive_id, kind, name) SELECT $1, id, 'folder', $3 FROM drive WHERE owner_id = $2
       ON CONFLICT (drive_id) WHERE parent_id IS NULL DO NOTHING`,
      [randomUUIDv7(), userId, ROOT_NAME],
    );
    const { rows } = await tx.query<{ driveId: string; rootId: string }>(
      `SELECT drive.id AS "driveId", entry.id AS "rootId" FROM drive JOIN entry ON entry.drive_id = drive.id AND entry.parent_id IS NULL
       WHERE drive.owner_id = $1`,
      [userId],
    );
    return rows[0]!;
  });
}
