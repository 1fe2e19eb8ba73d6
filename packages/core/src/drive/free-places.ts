/**
 * Places for many new files at once, where nothing is in their way. One file costs a dozen questions under the drive's lock;
 * hundreds cost little more when they are asked together, and asked by the very statement that makes the files.
 *
 * The pieces here are parts of such a statement. It runs under the drive's lock, which a statement of its own must have taken:
 * only then does it see the tree that the lock was waiting for.
 */
import type pg from "pg";
import type { EntryName } from "./entry-name.ts";
import { makeFolders } from "./folders.ts";
import { UNCLAIMED_BYTES } from "./quota.ts";
import { findPath, isTooDeep } from "./tree.ts";

export interface NewFile {
  parentId: string;
  /** To be made below the parent where they are missing, outermost first. */
  folders: readonly EntryName[];
  name: EntryName;
  sizeBytes: number;
}

/**
 * Of `file (place, folder_id, length)`, those that may be put into their folders unless a name is taken there: `fitting`. The
 * folder is there and seen, and they have room, in the order of their places. `$1` is the drive. Belongs behind `WITH RECURSIVE`.
 */
export const FITTING_FILES = `
  up AS (
    SELECT asked.folder_id, own.* FROM (SELECT DISTINCT folder_id FROM file) AS asked
      CROSS JOIN LATERAL (SELECT id, parent_id, kind, trashed_at FROM entry WHERE id = asked.folder_id AND drive_id = $1 LIMIT 1) AS own
    UNION ALL
    SELECT up.folder_id, above.*
      FROM up CROSS JOIN LATERAL (SELECT id, parent_id, kind, trashed_at FROM entry WHERE id = up.parent_id LIMIT 1) AS above
  ), open_folder AS (
    SELECT folder_id FROM up GROUP BY folder_id HAVING bool_and(kind = 'folder' AND trashed_at IS NULL)
  ), fitting AS (
    SELECT file.* FROM (SELECT *, sum(length) OVER (ORDER BY place) AS needed_bytes FROM file) AS file JOIN open_folder USING (folder_id)
     WHERE needed_bytes <= coalesce((SELECT ${UNCLAIMED_BYTES} FROM drive WHERE id = $1), needed_bytes)
  )`;

/** Tells the drive and the folders of the files in `made (folder_id, length)`. Belongs behind `FITTING_FILES`. */
export const COUNT_FILES = `
  counted AS (
    UPDATE drive SET used_bytes = used_bytes + (SELECT sum(length) FROM made) WHERE id = $1 AND EXISTS (SELECT FROM made)
  ), grown AS (
    SELECT id, sum(length) AS bytes FROM up JOIN made USING (folder_id) GROUP BY id
  ), sized AS (
    UPDATE entry SET size_bytes = size_bytes + (SELECT bytes FROM grown WHERE grown.id = entry.id) WHERE id = ANY (ARRAY(SELECT id FROM grown))
  )`;

/**
 * The folder of each file, made where it is missing, within the caller's transaction, under the drive's lock. Undefined where
 * it is not as simple: the parent is gone, or the way down is too long. Such a file is placed by itself.
 */
export async function openFolders(tx: pg.PoolClient, driveId: string, files: readonly NewFile[]): Promise<(string | undefined)[]> {
  const folderIds = new Map<string, string | undefined>();
  for (const file of files) {
    const way = wayOf(file);
    if (!folderIds.has(way)) folderIds.set(way, await openFolder(tx, driveId, file));
  }
  return files.map((file) => folderIds.get(wayOf(file)));
}

function wayOf({ parentId, folders }: NewFile): string {
  return [parentId, ...folders].join("/");
}

async function openFolder(tx: pg.PoolClient, driveId: string, { parentId, folders }: NewFile): Promise<string | undefined> {
  const path = await findPath(tx, driveId, parentId);
  if (path?.at(-1)?.kind !== "folder" || isTooDeep(path, folders.length)) return undefined;
  return await makeFolders(tx, driveId, parentId, folders);
}
