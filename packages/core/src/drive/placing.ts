/**
 * How an upload becomes a file.
 *
 * The place is looked at twice. When the upload begins, a wrong folder is the caller's mistake and is refused. When it
 * ends, every byte has been acknowledged: a folder that went to the trash meanwhile must not take the file with it, so the
 * file goes to the root instead.
 */
import { randomUUIDv7 } from "node:crypto";
import type pg from "pg";
import type { Actor } from "./actor.ts";
import { type EntryName, parseEntryName, parseRelativePath } from "./entry-name.ts";
import type { EntryRow, Queryable } from "./entry.ts";
import { makeFolders } from "./folders.ts";
import { addToUsedBytes, requireRoom } from "./quota.ts";
import { findSibling, freeName } from "./sibling-names.ts";
import { addToSizes, checkDepth, findPath, lockDrive, requireFolderPath } from "./tree.ts";

/** `undefined` means the root. Rejects with `entry.not_found` (gone, trashed, foreign) or `entry.not_a_folder`. */
export async function requireUploadParent(db: Queryable, actor: Actor, parentId: string | undefined): Promise<{ parentId: string }> {
  const path = await requireFolderPath(db, actor, parentId ?? actor.rootId);
  return { parentId: path.at(-1)!.id };
}

/** When a file of that name is there: give the new one a number, make it a new version, or leave the old one alone. */
export type ConflictPolicy = "keep-both" | "replace" | "skip";

export interface VersionToPlace {
  driveId: string;
  parentId: string;
  /** Folders to make below the parent, "a/b"; may end with the file's own name; empty for none. */
  relativePath: string;
  name: string;
  mediaType: string;
  /** A version in state `receiving` whose extents are complete. */
  versionId: string;
  sizeBytes: number;
  conflict: ConflictPolicy;
}

interface Placed {
  entryId: string;
  /** Not always the one asked for. */
  name: string;
  /** `skipped`: the version was attached to nothing and is still `receiving`. */
  outcome: "created" | "replaced" | "skipped";
}

export interface PlacedVersion extends Placed {
  /** True when the folder asked for was gone, and the root took its place. */
  isRelocated: boolean;
}

/**
 * Makes a complete version visible, within the caller's transaction, under the drive's lock.
 * Rejects with `drive.over_quota`, `entry.too_deep`, `name.invalid` or `name.too_long`; then the transaction must be rolled back.
 */
export async function placeVersion(tx: pg.PoolClient, version: VersionToPlace): Promise<PlacedVersion> {
  const name = parseEntryName(version.name);
  const folders = parseRelativePath(version.relativePath, name);
  await lockDrive(tx, version.driveId);
  const path = await livingFolderPath(tx, version.driveId, version.parentId);
  checkDepth(path, folders.length);
  const folderId = path.at(-1)!.id;
  const parentId = await makeFolders(tx, version.driveId, folderId, folders);
  return { ...(await placeInFolder(tx, parentId, name, version)), isRelocated: folderId !== version.parentId };
}

async function placeInFolder(tx: pg.PoolClient, parentId: string, name: EntryName, version: VersionToPlace): Promise<Placed> {
  // The policy is about files. Where a folder has the name, it looks at the number that the last upload was given.
  const existing = await findSibling(tx, parentId, await freeName(tx, parentId, name, "file", ["folder"]));
  if (existing !== undefined && version.conflict === "skip") return { entryId: existing.id, name: existing.name, outcome: "skipped" };
  await requireRoom(tx, version.driveId, version.sizeBytes);
  await addToUsedBytes(tx, version.driveId, version.sizeBytes);
  if (existing !== undefined && version.conflict === "replace") return await replaceContent(tx, parentId, existing, version);
  return await createFile(tx, parentId, await freeName(tx, parentId, name, "file"), version);
}

/** The way to the folder asked for if it can still be reached, else to the root. */
async function livingFolderPath(tx: pg.PoolClient, driveId: string, parentId: string): Promise<EntryRow[]> {
  const path = await findPath(tx, driveId, parentId);
  if (path?.at(-1)?.kind === "folder") return path;
  const { rows } = await tx.query<{ id: string }>("SELECT id FROM entry WHERE drive_id = $1 AND parent_id IS NULL", [driveId]);
  return (await findPath(tx, driveId, rows[0]!.id))!;
}

async function createFile(tx: pg.PoolClient, parentId: string, name: EntryName, version: VersionToPlace): Promise<Placed> {
  const entryId = randomUUIDv7();
  await tx.query(
    `INSERT INTO entry (id, drive_id, parent_id, kind, name, size_bytes, media_type, current_version_id)
     VALUES ($1, $2, $3, 'file', $4, $5, $6, $7)`,
    [entryId, version.driveId, parentId, name, version.sizeBytes, version.mediaType, version.versionId],
  );
  await commitVersion(tx, version, entryId);
  await addToSizes(tx, [{ folderId: parentId, bytes: version.sizeBytes }]);
  return { entryId, name, outcome: "created" };
}

/** The version that was current stays in the file's history. */
async function replaceContent(tx: pg.PoolClient, parentId: string, file: EntryRow, version: VersionToPlace): Promise<Placed> {
  await commitVersion(tx, version, file.id);
  await tx.query("UPDATE entry SET current_version_id = $2, size_bytes = $3, media_type = $4, modified_at = now() WHERE id = $1", [
    file.id,
    version.versionId,
    version.sizeBytes,
    version.mediaType,
  ]);
  await addToSizes(tx, [{ folderId: parentId, bytes: version.sizeBytes - file.sizeBytes }]);
  return { entryId: file.id, name: file.name, outcome: "replaced" };
}

async function commitVersion(tx: pg.PoolClient, { versionId, driveId, sizeBytes }: VersionToPlace, entryId: string): Promise<void> {
  const { rowCount } = await tx.query(
    `UPDATE version SET state = 'committed', entry_id = $3, size_bytes = $4 WHERE id = $1 AND drive_id = $2 AND state = 'receiving'`,
    [versionId, driveId, entryId, sizeBytes],
  );
  if (rowCount !== 1) throw new Error(`the version ${versionId} is not one that can be placed`);
}
