/**
 * One whole file that survives a power cut, or none.
 *
 * The order is the promise: bytes, fsync of the file, rename, fsync of the directory. Without the first fsync a power cut
 * leaves an empty file under the right name; without the second the name itself may be gone.
 */
import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { withoutFirst } from "./buffers.ts";

/** What makes a write durable. A parameter so that tests can watch the order and let each step fail. */
export interface DurableFileSystem {
  open(path: string, flags: string): Promise<DurableFile>;
  rename(from: string, to: string): Promise<void>;
}

export interface DurableFile {
  /** May write less than it was given. */
  writev(parts: readonly Buffer[]): Promise<{ bytesWritten: number }>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

export const diskFileSystem: DurableFileSystem = { open, rename };

/** The disk could not say that the bytes are safe. A second fsync may well succeed, and means nothing: the kernel has dropped them. */
export class SyncError extends Error {
  override readonly name = "SyncError";
}

export interface DurableWrite {
  /** In the same file system as `destination`; removed when the write fails. */
  temporary: string;
  /** Replaced when it exists. */
  destination: string;
}

/** Rejects with `SyncError`, or with the system's error of an earlier step. */
export async function writeDurably(
  { temporary, destination }: DurableWrite,
  parts: readonly Buffer[],
  fileSystem: DurableFileSystem = diskFileSystem,
): Promise<void> {
  try {
    await writeSynced(temporary, parts, fileSystem);
    await fileSystem.rename(temporary, destination);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined); // a disk that failed may refuse this too; the next write begins anew
    throw error;
  }
  await syncDirectory(dirname(destination), fileSystem);
}

export async function syncDirectory(path: string, fileSystem: DurableFileSystem = diskFileSystem): Promise<void> {
  const directory = await fileSystem.open(path, "r");
  try {
    await sync(directory, path);
  } finally {
    await directory.close();
  }
}

async function writeSynced(path: string, parts: readonly Buffer[], fileSystem: DurableFileSystem): Promise<void> {
  const file = await fileSystem.open(path, "w");
  try {
    let rest = parts;
    while (rest.length > 0) rest = withoutFirst(rest, (await file.writev(rest)).bytesWritten); // a disk that fills up writes less than it was given
    await sync(file, path);
  } finally {
    await file.close();
  }
}

async function sync(file: DurableFile, path: string): Promise<void> {
  await file.sync().catch((cause: unknown) => {
    throw new SyncError(`fsync of ${path} failed`, { cause });
  });
}
