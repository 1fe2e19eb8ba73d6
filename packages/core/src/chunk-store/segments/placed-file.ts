/**
 * Files that are read and written at places, many at once. A parameter of the store, so that tests can watch the order and
 * let each step fail.
 */
import { close, constants, fdatasync, open, read, writev, writevSync } from "node:fs";
import { promisify } from "node:util";
import { KiB } from "../../kernel/index.ts";
import { withoutFirst } from "../buffers.ts";

export interface PlacedFile {
  /** Returns how many bytes there were: fewer than `into` takes only at the end of the file. */
  read(into: Buffer, position: number): Promise<number>;
  /** Writes all of it, in the page cache at least. */
  write(parts: readonly Buffer[], position: number): Promise<void>;
  /** Makes durable what was written before. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

export interface SegmentFileSystem {
  /** For reading and writing. `create` makes it when it is not there. */
  open(path: string, options?: { create?: boolean }): Promise<PlacedFile>;
}

/** Copying so much into the page cache is quicker than asking the thread pool to. */
const AT_ONCE_BYTES = 512 * KiB;

const callOpen = promisify(open);
const callWritev = promisify(writev);
const callSync = promisify(fdatasync);
const callClose = promisify(close);

export const segmentFileSystem: SegmentFileSystem = {
  async open(path, { create = false } = {}) {
    return new OpenFile(await callOpen(path, constants.O_RDWR | (create ? constants.O_CREAT : 0), 0o644));
  },
};

class OpenFile implements PlacedFile {
  readonly #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
  }

  async read(into: Buffer, position: number): Promise<number> {
    let done = 0;
    while (done < into.length) {
      const count = await readOnce(this.#fd, into, done, position + done);
      if (count === 0) break;
      done += count;
    }
    return done;
  }

  async write(parts: readonly Buffer[], position: number): Promise<void> {
    let rest = parts;
    let at = position;
    while (rest.length > 0) {
      const count = await this.#writeSome(rest, at);
      rest = withoutFirst(rest, count);
      at += count;
    }
  }

  sync(): Promise<void> {
    return callSync(this.#fd);
  }

  close(): Promise<void> {
    return callClose(this.#fd);
  }

  async #writeSome(parts: readonly Buffer[], position: number): Promise<number> {
    if (parts.reduce((sum, part) => sum + part.length, 0) <= AT_ONCE_BYTES) return writevSync(this.#fd, parts, position);
    return (await callWritev(this.#fd, parts, position)).bytesWritten;
  }
}

/** Without an object for each answer, as `promisify` would make. */
function readOnce(fd: number, into: Buffer, offset: number, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    read(fd, into, offset, into.length - offset, position, (error, count) => (error ? reject(error) : resolve(count)));
  });
}
