/** What the disk below a directory can do: written and read as plainly as Node can. */
import { closeSync, constants, openSync, writeSync } from "node:fs";
import { type FileHandle, mkdtemp, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { randomBytes } from "node:crypto";
import { KiB, MiB } from "@holdfast/core/kernel";
import { dropPageCache, mayDropPageCache } from "./books.ts";
import { MB } from "../report/row.ts";

const CHUNK_BYTES = 4 * MiB;
const CHUNKS = 128;
/** As many at once as a node has under way. */
const LANES = 4;
const PAGE_BYTES = 4 * KiB;
/** What Node puts before a buffer's bytes is a multiple of this. */
const ALIGNMENT_STEP_BYTES = 16;

export interface DiskRates {
  /** Into space that was written before, past the page cache, one sync at the end. NaN where the file system cannot. */
  writeDirect: number;
  /** Likewise through the page cache, a sync after each 4 MiB. */
  writeBuffered: number;
  /** A new file for each 4 MiB, each synced. */
  createFiles: number;
  /** NaN for whoever may not drop the page cache. */
  readCold: number;
  readHot: number;
}

/** In MB/s. */
export async function measureDisk(directory: string): Promise<DiskRates> {
  const scratch = await mkdtemp(join(directory, "holdfast-limit-"));
  try {
    const path = join(scratch, "recycled");
    const bytes = randomBytes(CHUNK_BYTES);
    await usingFile(path, constants.O_WRONLY | constants.O_CREAT, (file) => writeAll(file, bytes));
    return {
      writeDirect: await writeDirect(path),
      writeBuffered: await usingFile(path, constants.O_WRONLY, (file) => rate((at) => writeDurably(file, bytes, at))),
      createFiles: await rate((at) => createFile(join(scratch, String(at)), bytes)),
      ...(await readTwice(path)),
    };
  } finally {
    await rm(scratch, { recursive: true });
  }
}

async function writeDirect(path: string): Promise<number> {
  const bytes = alignedBytes(path);
  if (bytes === undefined) return Number.NaN;
  return await usingFile(path, constants.O_WRONLY | constants.O_DIRECT, async (file) => {
    const start = performance.now();
    await writeAll(file, bytes);
    return rateSince(start);
  });
}

async function readTwice(path: string): Promise<Pick<DiskRates, "readCold" | "readHot">> {
  const buffers = Array.from({ length: LANES }, () => Buffer.allocUnsafeSlow(CHUNK_BYTES));
  return await usingFile(path, constants.O_RDONLY, async (file) => {
    const read = (): Promise<number> => rate((at, lane) => file.read(buffers[lane]!, 0, CHUNK_BYTES, at));
    if (mayDropPageCache()) dropPageCache();
    const first = await read();
    return { readCold: mayDropPageCache() ? first : Number.NaN, readHot: await read() };
  });
}

async function usingFile<T>(path: string, flags: number, work: (file: FileHandle) => Promise<T>): Promise<T> {
  await using file = await open(path, flags);
  return await work(file);
}

async function writeAll(file: FileHandle, bytes: Buffer): Promise<void> {
  await rate((at) => file.write(bytes, 0, bytes.length, at));
  await file.datasync();
}

async function writeDurably(file: FileHandle, bytes: Buffer, at: number): Promise<void> {
  await file.write(bytes, 0, bytes.length, at);
  await file.datasync();
}

async function createFile(path: string, bytes: Buffer): Promise<void> {
  await usingFile(path, constants.O_WRONLY | constants.O_CREAT, (file) => writeDurably(file, bytes, 0));
}

async function rate(work: (at: number, lane: number) => Promise<unknown>): Promise<number> {
  const places = Array.from({ length: CHUNKS }, (_, index) => index * CHUNK_BYTES).values();
  const start = performance.now();
  await Promise.all(
    Array.from({ length: LANES }, async (_, lane) => {
      for (const at of places) await work(at, lane);
    }),
  );
  return rateSince(start);
}

function rateSince(start: number): number {
  return (CHUNKS * CHUNK_BYTES) / ((performance.now() - start) / 1_000) / MB;
}

/** The kernel takes only buffers that begin where a sector could; Node says nothing of addresses, so it is tried. */
function alignedBytes(path: string): Buffer | undefined {
  const memory = Buffer.allocUnsafeSlow(CHUNK_BYTES + PAGE_BYTES);
  randomBytes(CHUNK_BYTES).copy(memory);
  const fd = openDirect(path);
  if (fd === undefined) return undefined;
  try {
    for (let from = 0; from < PAGE_BYTES; from += ALIGNMENT_STEP_BYTES) {
      if (isTaken(fd, memory.subarray(from, from + PAGE_BYTES))) return memory.subarray(from, from + CHUNK_BYTES);
    }
    return undefined;
  } finally {
    closeSync(fd);
  }
}

function openDirect(path: string): number | undefined {
  try {
    return openSync(path, constants.O_WRONLY | constants.O_DIRECT);
  } catch {
    return undefined; // a file system without it
  }
}

function isTaken(fd: number, bytes: Buffer): boolean {
  try {
    return writeSync(fd, bytes, 0, bytes.length, 0) === bytes.length;
  } catch {
    return false; // not aligned
  }
}
