/**
 * Places for many new files at once, where nothing is in their way. One file costs a dozen questions under the drive's lock;
 * hundreds cost little more when they are asked together, and asked by the very statement that makes the files.
 *
 * The pieces here are parts of such a statement. It runs under the drive's lock, which a statement of its own must have taken:
 * only then does it see the tree that the lock was waiting for.
 */
import type pg from "pg";
import type { EntryName } from "./entry-name.ts";
import type { EntryRow } from "./entry.ts";
import { makeFolders } from "./folders.ts";
import { UNCLAIMED_BYTES, unclaimedBytes } from "./quota.ts";
import { findPath, isTooDeep, lockDrive } from "./tree.ts";

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
 * The folder of each file, made where it is missing, within the caller's transaction, under the drive's lock, which it takes.
 * Undefined where it is not as simple: there is no room, the parent is gone, the way down is too long. Such a file is placed by
 * itself, and no folder is made for it.
 */
export async function openFolders(tx: pg.PoolClient, driveId: string, files: readonly NewFile[]): Promise<(string | undefined)[]> {
  const { unclaimed, paths } = await lockAndLook(tx, driveId, new Set(files.map(({ parentId }) => parentId)));
  const folderIds: (string | undefined)[] = files.map(() => undefined);
  let leftBytes = unclaimed;
  const fitting = [...files.keys()].filter((index) => (leftBytes -= files[index]!.sizeBytes) >= 0);
  const groups = Map.groupBy(fitting, (index) => [files[index]!.parentId, ...files[index]!.folders].join("/"));
  for (const group of groups.values()) {
    const { parentId, folders } = files[group[0]!]!;
    const folderId = await openFolder(tx, driveId, paths.get(parentId), folders);
    for (const index of group) folderIds[index] = folderId;
  }
  return folderIds;
}

/** All in one breath. Whatever comes after the lock is answered as things are once it is there. */
async function lockAndLook(tx: pg.PoolClient, driveId: string, parentIds: ReadonlySet<string>) {
  const [, unclaimed, ...paths] = await Promise.all([
    lockDrive(tx, driveId),
    unclaimedBytes(tx, driveId),
    ...[...parentIds].map(async (id) => [id, await findPath(tx, driveId, id)] as const),
  ]);
  return { unclaimed, paths: new Map(paths) };
}

async function openFolder(
  tx: pg.PoolClient,
  driveId: string,
  path: readonly EntryRow[] | undefined,
  folders: readonly EntryName[],
): Promise<string | undefined> {
  const folder = path?.at(-1);
  if (folder?.kind !== "folder" || isTooDeep(path!, folders.length)) return undefined;
  return await makeFolders(tx, driveId, folder.id, folders);
}
