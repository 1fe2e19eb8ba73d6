/**
 * Places for many new files at once, where nothing is in their way. One file costs a dozen questions under the drive's lock;
 * hundreds cost little more when they are asked together.
 */
import type pg from "pg";
import type { EntryName } from "./entry-name.ts";
import type { EntryRow } from "./entry.ts";
import { makeFolders } from "./folders.ts";
import { addToUsedBytes, unclaimedBytes } from "./quota.ts";
import { addToSizes, findPath, isTooDeep, lockDrive } from "./tree.ts";

export interface NewFile {
  parentId: string;
  /** To be made below the parent where they are missing, outermost first. */
  folders: readonly EntryName[];
  name: EntryName;
  sizeBytes: number;
}

/**
 * The folder that each file can be put into unless its name is taken there, within the caller's transaction, under the drive's
 * lock. Undefined where it is not as simple: the folder is gone or too deep, there is no room. Such a file is placed by itself.
 */
export async function findFreePlaces(tx: pg.PoolClient, driveId: string, files: readonly NewFile[]): Promise<(string | undefined)[]> {
  const places: (string | undefined)[] = files.map(() => undefined);
  const { unclaimed, paths } = await lockAndLook(tx, driveId, new Set(files.map(({ parentId }) => parentId)));
  let leftBytes = unclaimed;
  const fitting = [...files.keys()].filter((index) => (leftBytes -= files[index]!.sizeBytes) >= 0);
  const groups = Map.groupBy(fitting, (index) => [files[index]!.parentId, ...files[index]!.folders].join("/"));
  for (const group of groups.values()) {
    const { parentId, folders } = files[group[0]!]!;
    const folderId = await openFolder(tx, driveId, paths.get(parentId), folders);
    for (const index of group) places[index] = folderId;
  }
  return places;
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

/** Tells the drive and the folders of files that were put into them. The caller holds the drive's lock. */
export async function countFiles(
  tx: pg.PoolClient,
  driveId: string,
  files: readonly { folderId: string; sizeBytes: number }[],
): Promise<void> {
  const sumBytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const sizes = files.map(({ folderId, sizeBytes }) => ({ folderId, bytes: sizeBytes }));
  await Promise.all([addToUsedBytes(tx, driveId, sumBytes), addToSizes(tx, sizes)]);
}
