/**
 * Files that are read and written at places, many at once. A parameter of the store, so that tests can watch the order and
 * let each step fail.
 */
import { execFile } from "node:child_process";
import { close, constants, fdatasync, open, read, writev, writevSync } from "node:fs";
import { promisify } from "node:util";
import { KiB, liesOnPages, PAGE_BYTES } from "../../kernel/index.ts";
import { withoutFirst } from "../buffers.ts";
import { codeOf } from "../system-error.ts";
import { DirectMemory, onPages } from "./direct-memory.ts";

export interface PlacedFile {
  /**
   * Returns how many bytes there were: fewer than `into` takes only at the end of the file. Past the page cache only whole
   * pages are read, into memory that lies on pages; everything else comes through it all the same.
   */
  read(into: Buffer, position: number, options?: { pastCache?: boolean | undefined }): Promise<number>;
  /** Writes all of it, in the page cache at least. */
  write(parts: readonly Buffer[], position: number): Promise<void>;
  /**
   * Takes the disk's space for an empty file of this length, full of zeros that nobody writes. False where that cannot be
   * done, or there is no room: then whoever writes the zeros learns which.
   */
  allocate(bytes: number): Promise<boolean>;
  /** Makes durable what was written before. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

export interface SegmentFileSystem {
  /** For reading and writing. `create` makes it when it is not there. */
  open(path: string, options?: { create?: boolean }): Promise<PlacedFile>;
}

/** Copying so much into the page cache is quicker than asking the thread pool to. */
const AT_ONCE_BYTES = 256 * KiB;

const callOpen = promisify(open);
const callWritev = promisify(writev);
const callSync = promisify(fdatasync);
const callClose = promisify(close);
const runFile = promisify(execFile);

const directMemory = new DirectMemory();

export const segmentFileSystem: SegmentFileSystem = {
  async open(path, { create = false } = {}) {
    return new OpenFile(path, await callOpen(path, constants.O_RDWR | (create ? constants.O_CREAT : 0), 0o644));
  },
};

/**
 * Large writes of whole pages go past the page cache where the file system allows it: that costs half the time of the
 * processor, and leaves the cache to what is read.
 */
class OpenFile implements PlacedFile {
  readonly #path: string;
  readonly #fd: number;
  /** The same file for such writes; undefined where there are none. Opened with the first of them. */
  #direct: Promise<number | undefined> | undefined;
  #takesPages = true;

  constructor(path: string, fd: number) {
    this.#path = path;
    this.#fd = fd;
  }

  async read(into: Buffer, position: number, { pastCache = false }: { pastCache?: boolean | undefined } = {}): Promise<number> {
    const isWhole = pastCache && liesOnPages(into) && position % PAGE_BYTES === 0 && (await this.#readDirectly(into, position));
    if (isWhole) return into.length;
    let done = 0;
    while (done < into.length) {
      const count = await readOnce(this.#fd, into, done, position + done);
      if (count === 0) break;
      done += count;
    }
    return done;
  }

  async write(parts: readonly Buffer[], position: number): Promise<void> {
    const bytes = parts.reduce((sum, part) => sum + part.length, 0);
    if (bytes <= AT_ONCE_BYTES) return writeAll(parts, position, (rest, at) => writevSync(this.#fd, rest, at));
    if (this.#takesPages && bytes % PAGE_BYTES === 0 && position % PAGE_BYTES === 0 && (await this.#writeDirectly(parts, position))) return;
    await writeAll(parts, position, async (rest, at) => (await callWritev(this.#fd, rest, at)).bytesWritten);
  }

  /** By the system's own program: Node knows no such call. */
  async allocate(bytes: number): Promise<boolean> {
    try {
      await runFile("fallocate", ["-l", String(bytes), this.#path]); // the one option that every system's knows
      return true;
    } catch {
      return false;
    }
  }

  sync(): Promise<void> {
    return callSync(this.#fd);
  }

  async close(): Promise<void> {
    const direct = await this.#direct;
    if (direct !== undefined) await callClose(direct);
    await callClose(this.#fd);
  }

  /** False where it cannot be done, or has brought less. */
  async #readDirectly(into: Buffer, position: number): Promise<boolean> {
    const fd = await (this.#direct ??= openDirectly(this.#path));
    if (fd === undefined) return false;
    const count = await readOnce(fd, into, 0, position).catch((error: unknown) => {
      if (codeOf(error) === "EINVAL") return 0; // a disk of larger pages
      throw error;
    });
    return count === into.length;
  }

  /** False where it cannot be done: the disk has larger pages, or there is no memory on pages. */
  async #writeDirectly(parts: readonly Buffer[], position: number): Promise<boolean> {
    const fd = await (this.#direct ??= openDirectly(this.#path));
    if (fd === undefined) return false;
    const writeSome = async (rest: readonly Buffer[], at: number, copies: Buffer) =>
      (await callWritev(fd, onPages(rest, copies), at)).bytesWritten;
    try {
      return await directMemory.use((copies) => writeAll(parts, position, (rest, at) => writeSome(rest, at, copies)));
    } catch (error) {
      if (codeOf(error) !== "EINVAL") throw error;
      this.#takesPages = false;
      return false;
    }
  }
}

/** Undefined on a file system that knows no such writes. */
async function openDirectly(path: string): Promise<number | undefined> {
  return callOpen(path, constants.O_RDWR | constants.O_DIRECT).catch((error: unknown) => {
    if (codeOf(error) === "EINVAL") return undefined;
    throw error;
  });
}

/** Calls `writeSome` until nothing is left: a disk may take less than it was given. */
async function writeAll(
  parts: readonly Buffer[],
  position: number,
  writeSome: (rest: readonly Buffer[], at: number) => number | Promise<number>,
): Promise<void> {
  let rest = parts;
  let at = position;
  while (rest.length > 0) {
    const count = await writeSome(rest, at);
    rest = withoutFirst(rest, count);
    at += count;
  }
}

/** Without an object for each answer, as `promisify` would make. */
function readOnce(fd: number, into: Buffer, offset: number, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    read(fd, into, offset, into.length - offset, position, (error, count) => (error ? reject(error) : resolve(count)));
  });
}
