/**
 * Deleting forever: entries, versions and extents go; the chunks stay until the collector has proved that nobody else needs
 * them.
 *
 * A tree may have a million entries, and nobody else can change the drive while one transaction deletes. So they go in
 * batches, leaves first, each with its sizes and its part of the quota: whoever looks in between finds a smaller tree that
 * is right in itself, and after a crash the same request deletes the rest. What is restored in between is left alone from
 * then on. Nobody waits for the last batch in one go either: a request that is told to end says what is left, and its caller
 * comes again.
 *
 * What was trashed by itself stays in the trash by itself, even when the folder it was in is deleted.
 */
import { inTransaction } from "@holdfast/db";
import type pg from "pg";
import { limits } from "../kernel/index.ts";
import type { Actor } from "./actor.ts";
import { DriveError, entryNotFound } from "./errors.ts";
import { addToUsedBytes } from "./quota.ts";
import { findPath, isUuid, lockDrive } from "./tree.ts";

export interface DeletionBatches {
  /** Entries that one transaction deletes. */
  deletedEntries: number;
  /** Entries whose order is worked out at a time. */
  listedEntries: number;
}

const BATCHES: DeletionBatches = { deletedEntries: limits.deleteBatchEntries, listedEntries: limits.deleteListEntries };

export interface DeletionOptions extends Partial<DeletionBatches> {
  /** Ends it after the batch under way. Every call deletes one batch at least. */
  signal?: AbortSignal;
}

/** Whose tree. */
type Tree = Pick<Actor, "driveId" | "rootId">;

/**
 * `left` are those that have to be asked for again. Rejects, before anything is deleted, with `entry.not_found`, or with
 * `entry.not_trashed` for what was not put into the trash itself.
 */
export async function deleteForever(
  pool: pg.Pool,
  actor: Actor,
  ids: readonly string[],
  options: DeletionOptions = {},
): Promise<{ left: string[] }> {
  const trashed = new Set(await stillTrashed(pool, actor, ids.filter(isUuid)));
  for (const id of ids) if (!trashed.has(id)) throw await notInTrash(pool, actor, id);
  await deleteTrees(pool, actor, [...trashed], options);
  return { left: options.signal?.aborted === true ? await stillTrashed(pool, actor, ids) : [] };
}

async function stillTrashed(pool: pg.Pool, { driveId }: Tree, ids: readonly string[]): Promise<string[]> {
  const { rows } = await pool.query<{ id: string }>(
    "SELECT id FROM entry WHERE id = ANY ($1::uuid[]) AND drive_id = $2 AND trashed_at IS NOT NULL",
    [ids, driveId],
  );
  return rows.map(({ id }) => id);
}

/**
 * Everything that was put into the trash until `before`; until now when it is absent. Where something is left, the answer's
 * `before` goes into the next call, so that what is trashed meanwhile stays.
 */
export async function emptyTrash(
  pool: pg.Pool,
  tree: Tree,
  { before, ...options }: DeletionOptions & { before?: Date | undefined } = {},
): Promise<{ before: Date; isEmpty: boolean }> {
  const until = before ?? (await justAfterNow(pool));
  const oldest = (): Promise<string[]> => trashedUntil(pool, tree, until);
  let topIds = await oldest();
  while (topIds.length > 0) {
    await deleteTrees(pool, tree, topIds, options);
    topIds = await oldest();
    if (options.signal?.aborted === true) break;
  }
  return { before: until, isEmpty: topIds.length === 0 };
}

/** What was trashed a moment ago may be recorded as of the next millisecond. */
async function justAfterNow(pool: pg.Pool): Promise<Date> {
  const { rows } = await pool.query<{ at: Date }>("SELECT clock_timestamp() + interval '1 millisecond' AS at");
  return rows[0]!.at;
}

async function trashedUntil(pool: pg.Pool, actor: Tree, until: Date): Promise<string[]> {
  const { rows } = await pool.query<{ id: string }>(
    "SELECT id FROM entry WHERE drive_id = $1 AND trashed_at <= $2 ORDER BY trashed_at LIMIT $3",
    [actor.driveId, until, limits.entriesPerRequestMax],
  );
  return rows.map((row) => row.id);
}

async function notInTrash(pool: pg.Pool, actor: Actor, id: string): Promise<DriveError> {
  if ((await findPath(pool, actor.driveId, id)) === undefined) return entryNotFound(id);
  return new DriveError("entry.not_trashed", "Only what is in the trash can be deleted forever. Put it into the trash first.", { id });
}

/** Deletes trashed entries and what is beneath them, except what is in the trash on its own account. */
async function deleteTrees(pool: pg.Pool, tree: Tree, topIds: readonly string[], options: DeletionOptions): Promise<void> {
  const { deletedEntries, listedEntries, signal } = { ...BATCHES, ...options };
  const deepest = (): Promise<string[]> => deepestOf(pool, topIds, listedEntries);
  for (let ids = await deepest(); ids.length > 0; ids = await deepest()) {
    for (let first = 0; first < ids.length; first += deletedEntries) {
      const batch = ids.slice(first, first + deletedEntries);
      await inTransaction(pool, (tx) => deleteBatch(tx, tree, topIds, batch), { statementTimeoutMs: limits.databaseLongStatementMs });
      if (signal?.aborted === true) return;
    }
  }
}

/** What is in these trees, the deepest first, so that a folder comes after all that is in it; not all when it is very much. */
async function deepestOf(pool: pg.Pool, topIds: readonly string[], limit: number): Promise<string[]> {
  const list = (tx: pg.PoolClient): Promise<pg.QueryResult<{ id: string }>> =>
    tx.query(
      `WITH RECURSIVE down AS (
         SELECT id, 0 AS depth FROM entry WHERE id = ANY ($1::uuid[]) AND trashed_at IS NOT NULL
         UNION ALL SELECT e.id, down.depth + 1 FROM down JOIN entry e ON e.parent_id = down.id AND e.trashed_at IS NULL
       )
       SELECT id FROM down ORDER BY depth DESC LIMIT $2`,
      [topIds, limit],
    );
  const { rows } = await inTransaction(pool, list, { statementTimeoutMs: limits.databaseLongStatementMs });
  return rows.map((row) => row.id);
}

async function deleteBatch(tx: pg.PoolClient, actor: Tree, topIds: readonly string[], batch: readonly string[]): Promise<void> {
  await lockDrive(tx, actor.driveId);
  const ids = await stillBelow(tx, actor, topIds, batch);
  await tx.query(
    "UPDATE entry SET parent_id = $2 WHERE parent_id = ANY ($1::uuid[]) AND trashed_at IS NOT NULL AND id <> ALL ($1::uuid[])",
    [ids, actor.rootId],
  );
  await takeFromSizes(tx, ids);
  await addToUsedBytes(tx, actor.driveId, -(await deleteEntries(tx, ids)));
}

/** Those of the batch that nobody has restored, or deleted, since they were listed. */
async function stillBelow(tx: pg.PoolClient, actor: Tree, topIds: readonly string[], batch: readonly string[]): Promise<string[]> {
  const { rows } = await tx.query<{ id: string }>(
    `WITH RECURSIVE up AS (
       SELECT id AS start, id, parent_id, trashed_at FROM entry WHERE id = ANY ($1::uuid[]) AND drive_id = $2
       UNION ALL SELECT up.start, e.id, e.parent_id, e.trashed_at FROM up JOIN entry e ON e.id = up.parent_id WHERE up.trashed_at IS NULL
     )
     SELECT start AS id FROM up WHERE trashed_at IS NOT NULL AND id = ANY ($3::uuid[])`,
    [batch, actor.driveId, topIds],
  );
  return rows.map((row) => row.id);
}

/** The folders above, up to the one that is in the trash, hold so much less. */
async function takeFromSizes(tx: pg.PoolClient, ids: readonly string[]): Promise<void> {
  await tx.query(
    `WITH RECURSIVE up AS (
       SELECT parent_id AS id, sum(size_bytes) AS bytes FROM entry
        WHERE id = ANY ($1::uuid[]) AND kind = 'file' AND trashed_at IS NULL GROUP BY parent_id
       UNION ALL SELECT e.parent_id, up.bytes FROM up JOIN entry e ON e.id = up.id WHERE e.trashed_at IS NULL
     ), sums AS (SELECT id, sum(bytes) AS bytes FROM up GROUP BY id)
     UPDATE entry SET size_bytes = size_bytes - sums.bytes FROM sums WHERE entry.id = sums.id AND sums.id <> ALL ($1::uuid[])`,
    [ids],
  );
}

/** Returns the bytes that all their versions held. Uploads that ended in these files are forgotten; unfinished ones are not touched. */
async function deleteEntries(tx: pg.PoolClient, ids: readonly string[]): Promise<number> {
  await tx.query("DELETE FROM upload USING version WHERE upload.version_id = version.id AND version.entry_id = ANY ($1::uuid[])", [ids]);
  const { rows } = await tx.query<{ bytes: number }>(
    "SELECT coalesce(sum(size_bytes), 0)::bigint AS bytes FROM version WHERE entry_id = ANY ($1::uuid[])",
    [ids],
  );
  await tx.query("DELETE FROM entry WHERE id = ANY ($1::uuid[])", [ids]);
  return rows[0]!.bytes;
}
