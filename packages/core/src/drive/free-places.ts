/**
 * Places for many new files at once, where nothing is in their way. One file costs a dozen questions under the drive's lock;
 * hundreds cost little more when they are asked together.
 */
import type pg from "pg";
import type { EntryName } from "./entry-name.ts";
import { makeFolders } from "./folders.ts";
import { addToUsedBytes, unclaimedBytes } from "./quota.ts";
import { namesTaken } from "./sibling-names.ts";
import { addToSizes, findPath, isTooDeep, lockDrive } from "./tree.ts";

export interface NewFile {
  parentId: string;
  /** To be made below the parent where they are missing, outermost first. */
  folders: readonly EntryName[];
  name: EntryName;
  sizeBytes: number;
}

/**
 * The folder that each file can simply be put into, within the caller's transaction, under the drive's lock. Undefined where
 * it is not as simple: the folder is gone or too deep, the name is taken, there is no room. Such a file is placed by itself.
 */
export async function findFreePlaces(tx: pg.PoolClient, driveId: string, files: readonly NewFile[]): Promise<(string | undefined)[]> {
  await lockDrive(tx, driveId);
  const places: (string | undefined)[] = files.map(() => undefined);
  let leftBytes = await unclaimedBytes(tx, driveId);
  const fitting = [...files.keys()].filter((index) => (leftBytes -= files[index]!.sizeBytes) >= 0);
  const groups = Map.groupBy(fitting, (index) => [files[index]!.parentId, ...files[index]!.folders].join("/"));
  for (const group of groups.values()) {
    const folderId = await openFolder(tx, driveId, files[group[0]!]!);
    if (folderId === undefined) continue;
    const names = group.map((index) => files[index]!.name);
    const taken = new Set<string>(await namesTaken(tx, folderId, names));
    for (const index of group) {
      const { name } = files[index]!;
      if (!taken.has(name)) places[index] = folderId;
      taken.add(name);
    }
  }
  return places;
}

async function openFolder(tx: pg.PoolClient, driveId: string, { parentId, folders }: NewFile): Promise<string | undefined> {
  const path = await findPath(tx, driveId, parentId);
  if (path?.at(-1)?.kind !== "folder" || isTooDeep(path, folders.length)) return undefined;
  return await makeFolders(tx, driveId, parentId, folders);
}

/** Tells the drive and the folders of files that were put into them. The caller holds the drive's lock. */
export async function countFiles(
  tx: pg.PoolClient,
  driveId: string,
  files: readonly { folderId: string; sizeBytes: number }[],
): Promise<void> {
  await addToUsedBytes(
    tx,
    driveId,
    files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
  );
  await addToSizes(
    tx,
    files.map(({ folderId, sizeBytes }) => ({ folderId, bytes: sizeBytes })),
  );
}
