/**
 * The trash: out of sight, not yet gone.
 *
 * Trashing marks the top entry only; what is beneath goes and comes back with it at no cost. What was trashed by itself
 * stays in the trash by itself, even when the folder it was in is deleted forever.
 */
import { inTransaction } from "@holdfast/db";
import type pg from "pg";
import { z } from "zod";
import type { Actor } from "./actor.ts";
import { decodeCursor, encodeCursor } from "./cursor.ts";
import { ENTRY_COLUMNS, type EntryRow, type Queryable } from "./entry.ts";
import { entryNotFound } from "./errors.ts";
import type { EntryPage } from "./listing.ts";
import { settleEntries } from "./settling.ts";
import { addToSizes, findPath, isUuid, lockDrive, requirePath, requireTopEntries } from "./tree.ts";

/** All or none; what is below another one of them goes with it. Rejects with `entry.not_found` or `entry.is_root`. */
export async function trashEntries(pool: pg.Pool, actor: Actor, ids: readonly string[]): Promise<void> {
  await inTransaction(pool, async (tx) => {
    await lockDrive(tx, actor.driveId);
    const entries = await requireTopEntries(tx, actor, ids);
    await addToSizes(
      tx,
      entries.map((entry) => ({ folderId: entry.parentId!, bytes: -entry.sizeBytes })),
    );
    await tx.query("UPDATE entry SET trashed_at = now() WHERE id = ANY ($1::uuid[])", [entries.map((entry) => entry.id)]);
  });
}

const place = z.strictObject({ trashedAt: z.iso.datetime(), id: z.guid() });

/** What was put into the trash, latest first. Rejects with `cursor.invalid`. */
export async function listTrash(db: Queryable, actor: Actor, { cursor, limit }: { cursor?: string; limit: number }): Promise<EntryPage> {
  const after = cursor === undefined ? undefined : decodeCursor(place, cursor);
  const { rows } = await db.query<EntryRow>(
    `SELECT ${ENTRY_COLUMNS} FROM entry e
     WHERE e.drive_id = $1 AND e.trashed_at IS NOT NULL ${after === undefined ? "" : "AND (e.trashed_at, e.id) < ($3::timestamptz, $4::uuid)"}
     ORDER BY e.trashed_at DESC, e.id DESC LIMIT $2`,
    [actor.driveId, limit + 1, ...(after === undefined ? [] : [after.trashedAt, after.id])],
  );
  const items = rows.slice(0, limit);
  if (rows.length === items.length) return { items };
  const last = items.at(-1)!;
  return { items, nextCursor: encodeCursor({ trashedAt: last.trashedAt!.toISOString(), id: last.id }) };
}

/**
 * Puts all back where they were, or into the root when that place is gone or in the trash; or none.
 * A name taken meanwhile gets a number. Rejects with `entry.not_found` or `entry.too_deep`.
 */
export async function restoreEntries(pool: pg.Pool, actor: Actor, ids: readonly string[]): Promise<EntryRow[]> {
  return await inTransaction(pool, async (tx) => {
    await lockDrive(tx, actor.driveId);
    const entries = await readTrashed(tx, actor, ids);
    const missing = ids.find((id) => !entries.some((entry) => entry.id === id));
    if (missing !== undefined) throw entryNotFound(missing);
    const restored: EntryRow[] = [];
    for (const [oldParentId, siblings] of Map.groupBy(entries, (entry) => entry.parentId!)) {
      const path = (await findPath(tx, actor.driveId, oldParentId)) ?? (await requirePath(tx, actor, actor.rootId));
      restored.push(...(await settleEntries(tx, siblings, path)));
    }
    await addToSizes(
      tx,
      restored.map((entry) => ({ folderId: entry.parentId!, bytes: entry.sizeBytes })),
    );
    return restored;
  });
}

/** Latest first: a folder comes before what had been trashed out of it, which then finds its place again. */
async function readTrashed(tx: pg.PoolClient, actor: Actor, ids: readonly string[]): Promise<EntryRow[]> {
  const { rows } = await tx.query<EntryRow>(
    `SELECT ${ENTRY_COLUMNS} FROM entry e WHERE e.id = ANY ($1::uuid[]) AND e.drive_id = $2 AND e.trashed_at IS NOT NULL ORDER BY e.trashed_at DESC`,
    [ids.filter(isUuid), actor.driveId],
  );
  return rows;
}
