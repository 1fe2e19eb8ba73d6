/**
 * The tree of one drive: its lock, its paths, its sizes.
 *
 * Whoever changes entries locks the drive's row first and keeps it until the commit. One lock per tree: two moves cannot
 * make a cycle between them, no two siblings get one name, sizes are exact, and nothing can deadlock. A lock per folder
 * would let more happen at once, but a move and a size reach up to the root anyway.
 *
 * Trash is a mark on the top entry only, so whether something can be reached is a question to all its ancestors.
 *
 * A tree may grow a thousandfold before the database counts it again, and a join that was planned for a handful of entries
 * then reads all there are. So what is looked up one by one is written that way, `LATERAL (… LIMIT 1)`: no other plan is left.
 */
import type pg from "pg";
import { limits } from "../kernel/index.ts";
import type { Actor } from "./actor.ts";
import { tooDeep } from "./entry-name.ts";
import { ENTRY_COLUMNS, type EntryRow, type Queryable } from "./entry.ts";
import { DriveError, entryNotFound } from "./errors.ts";

/** Hold this until the commit. Not the stronger `FOR UPDATE`, which would also stop uploads from making their rows. */
export async function lockDrive(tx: pg.PoolClient, driveId: string): Promise<void> {
  const { rowCount } = await tx.query({ name: "drive-lock", text: "SELECT FROM drive WHERE id = $1 FOR NO KEY UPDATE", values: [driveId] });
  if (rowCount !== 1) throw new Error(`the drive ${driveId} is gone`);
}

/**
 * The way from the root down to an entry, both included. Undefined when the entry does not exist, belongs to another
 * drive, or is in the trash by itself or with a folder above it.
 */
export async function findPath(db: Queryable, driveId: string, id: string): Promise<EntryRow[] | undefined> {
  if (!isUuid(id)) return undefined;
  const { rows } = await db.query<EntryRow>({ name: "drive-path", text: PATH, values: [id, driveId] });
  return rows.length === 0 || rows.some((row) => row.trashedAt !== null) ? undefined : rows;
}

const PATH = `
  WITH RECURSIVE up AS (
    SELECT own.*, 0 AS height FROM (SELECT * FROM entry WHERE id = $1 LIMIT 1) AS own WHERE drive_id = $2
    UNION ALL SELECT above.*, up.height + 1 FROM up CROSS JOIN LATERAL (SELECT * FROM entry WHERE id = up.parent_id LIMIT 1) AS above
  )
  SELECT ${ENTRY_COLUMNS} FROM up AS e ORDER BY height DESC`;

/** Like `findPath`; rejects with `entry.not_found`. */
export async function requirePath(db: Queryable, actor: Actor, id: string): Promise<EntryRow[]> {
  const path = await findPath(db, actor.driveId, id);
  if (path === undefined) throw entryNotFound(id);
  return path;
}

/** The entry itself. Rejects with `entry.not_found`. */
export async function requireEntry(db: Queryable, actor: Actor, id: string): Promise<EntryRow> {
  return (await requirePath(db, actor, id)).at(-1)!;
}

/** The way to a folder. Rejects with `entry.not_found` or `entry.not_a_folder`. */
export async function requireFolderPath(db: Queryable, actor: Actor, id: string): Promise<EntryRow[]> {
  const path = await requirePath(db, actor, id);
  if (path.at(-1)!.kind !== "folder") {
    throw new DriveError("entry.not_a_folder", "This is a file, not a folder. Choose a folder.", { id });
  }
  return path;
}

/** Rejects with `entry.is_root`. */
export function refuseRoot(entry: EntryRow): void {
  if (entry.parentId === null) throw new DriveError("entry.is_root", "My Drive itself stays where it is. Choose something inside it.");
}

/** Rejects with `entry.too_deep` when folders of `height` levels would not fit below a folder `path.length` levels down. */
export function checkDepth(path: readonly EntryRow[], height: number): void {
  if (isTooDeep(path, height)) throw tooDeep();
}

export function isTooDeep(path: readonly EntryRow[], height: number): boolean {
  return path.length - 1 + height > limits.folderDepthMax;
}

/**
 * Those of the entries that are not below another one of them: whoever acts on a folder acts on what is in it.
 * Rejects with `entry.not_found` when one of them cannot be reached, with `entry.is_root` when one is the root.
 */
export async function requireTopEntries(tx: pg.PoolClient, actor: Actor, ids: readonly string[]): Promise<EntryRow[]> {
  const { rows } = await tx.query<EntryRow & { covered: boolean }>(
    `WITH RECURSIVE up AS (
       SELECT id AS start, id, parent_id, trashed_at FROM entry WHERE id = ANY ($1::uuid[]) AND drive_id = $2
       UNION ALL SELECT up.start, e.id, e.parent_id, e.trashed_at FROM up JOIN entry e ON e.id = up.parent_id
     ), found AS (
       SELECT start, bool_or(id <> start AND id = ANY ($1::uuid[])) AS covered FROM up
       GROUP BY start HAVING bool_and(trashed_at IS NULL)
     )
     SELECT ${ENTRY_COLUMNS}, found.covered FROM found JOIN entry e ON e.id = found.start`,
    [ids.filter(isUuid), actor.driveId],
  );
  const found = new Set(rows.map((row) => row.id));
  for (const id of ids) if (!found.has(id)) throw entryNotFound(id);
  for (const row of rows) refuseRoot(row);
  return rows.filter((row) => !row.covered).map(({ covered: _covered, ...entry }) => entry);
}

/** Levels of folders in the highest of these trees, tops included; 0 when all are files. */
export async function heightOf(tx: pg.PoolClient, ids: readonly string[]): Promise<number> {
  const { rows } = await tx.query<{ height: number }>(
    `WITH RECURSIVE down AS (
       SELECT id, 1 AS height FROM entry WHERE id = ANY ($1::uuid[]) AND kind = 'folder'
       UNION ALL SELECT e.id, down.height + 1 FROM down
       JOIN entry e ON e.parent_id = down.id AND e.kind = 'folder' AND e.trashed_at IS NULL
     )
     SELECT coalesce(max(height), 0) AS height FROM down`,
    [ids],
  );
  return rows[0]!.height;
}

export interface SizeChange {
  /** Outside the trash. */
  folderId: string;
  bytes: number;
}

/**
 * Adds to the sizes of folders and of all above them, in the tree as it is now; each row is written once, whatever the
 * number of changes below it. The caller holds the drive's lock.
 */
export async function addToSizes(tx: pg.PoolClient, changes: readonly SizeChange[]): Promise<void> {
  const bytesOf = new Map<string, number>();
  for (const { folderId, bytes } of changes) bytesOf.set(folderId, (bytesOf.get(folderId) ?? 0) + bytes);
  await tx.query({ name: "drive-add-to-sizes", text: ADD_TO_SIZES, values: [[...bytesOf.keys()], [...bytesOf.values()]] });
}

const ADD_TO_SIZES = `
  WITH RECURSIVE up AS (
    SELECT id, bytes FROM unnest($1::uuid[], $2::bigint[]) AS change (id, bytes)
    UNION ALL
    SELECT above.parent_id, up.bytes
      FROM up CROSS JOIN LATERAL (SELECT parent_id FROM entry WHERE id = up.id AND parent_id IS NOT NULL LIMIT 1) AS above
  ), sums AS (SELECT id, sum(bytes) AS bytes FROM up GROUP BY id HAVING sum(bytes) <> 0)
  UPDATE entry SET size_bytes = size_bytes + (SELECT bytes FROM sums WHERE sums.id = entry.id) WHERE id = ANY (ARRAY(SELECT id FROM sums))`;

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Ids come from addresses and headers; what PostgreSQL would reject as no uuid simply does not exist. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}
