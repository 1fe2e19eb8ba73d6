/** Folders: making them, and standing in one. */
import { randomUUIDv7 } from "node:crypto";
import { inTransaction } from "@holdfast/db";
import type pg from "pg";
import type { Actor } from "./actor.ts";
import { type EntryName, parseEntryName, parseRelativePath } from "./entry-name.ts";
import { ENTRY_COLUMNS, type EntryRow, type Queryable } from "./entry.ts";
import { freeName, findSibling, refuseTakenName } from "./sibling-names.ts";
import { checkDepth, lockDrive, requireFolderPath } from "./tree.ts";

/** One step of the way from the root to an entry. */
export interface PathStep {
  id: string;
  name: string;
}

export interface Folder {
  id: string;
  name: string;
  /** From the root to the folder, both included. */
  path: PathStep[];
  sizeBytes: number;
}

/** The root when `id` is undefined. Rejects with `entry.not_found` or `entry.not_a_folder`. */
export async function openFolder(db: Queryable, actor: Actor, id: string | undefined): Promise<Folder> {
  const path = await requireFolderPath(db, actor, id ?? actor.rootId);
  const { id: folderId, name, sizeBytes } = path.at(-1)!;
  return { id: folderId, name, path: stepsOf(path), sizeBytes };
}

export function stepsOf(path: readonly EntryRow[]): PathStep[] {
  return path.map(({ id, name }) => ({ id, name }));
}

/** Rejects with `entry.not_found`, `entry.not_a_folder`, `entry.name_taken`, `entry.too_deep`, `name.invalid`, `name.too_long`. */
export async function createFolder(pool: pg.Pool, actor: Actor, folder: { parentId: string; name: string }): Promise<EntryRow> {
  const name = parseEntryName(folder.name);
  return await inTransaction(pool, async (tx) => {
    await lockDrive(tx, actor.driveId);
    const path = await requireFolderPath(tx, actor, folder.parentId);
    checkDepth(path, 1);
    await refuseTakenName(tx, folder.parentId, name);
    return await insertFolder(tx, actor.driveId, folder.parentId, name);
  });
}

/**
 * Makes what is missing of each path, "a/b/c", for folders that no upload will make because nothing is in them; all or none.
 * Rejects like `createFolder`, but for names: a folder of that name is the one that was meant.
 */
export async function createFolders(
  pool: pg.Pool,
  actor: Actor,
  { parentId, paths }: { parentId: string; paths: readonly string[] },
): Promise<void> {
  const chains = paths.map((path) => parseRelativePath(path, ""));
  await inTransaction(pool, async (tx) => {
    await lockDrive(tx, actor.driveId);
    const parentPath = await requireFolderPath(tx, actor, parentId);
    for (const chain of chains) {
      checkDepth(parentPath, chain.length);
      await makeFolders(tx, actor.driveId, parentId, chain);
    }
  });
}

/**
 * Makes what is missing of a chain of folders, outermost first, and returns the innermost one's id. Where a file has a
 * folder's name, the folder gets a number, and the next upload of the same chain finds that very folder again.
 */
export async function makeFolders(tx: pg.PoolClient, driveId: string, parentId: string, names: readonly EntryName[]): Promise<string> {
  let folderId = parentId;
  for (const wanted of names) {
    const name = await freeName(tx, folderId, wanted, "folder", ["file"]);
    const folder = (await findSibling(tx, folderId, name)) ?? (await insertFolder(tx, driveId, folderId, name));
    folderId = folder.id;
  }
  return folderId;
}

async function insertFolder(tx: pg.PoolClient, driveId: string, parentId: string, name: EntryName): Promise<EntryRow> {
  const { rows } = await tx.query<EntryRow>(
    `INSERT INTO entry AS e (id, drive_id, parent_id, kind, name) VALUES ($1, $2, $3, 'folder', $4) RETURNING ${ENTRY_COLUMNS}`,
    [randomUUIDv7(), driveId, parentId, name],
  );
  return rows[0]!;
}
