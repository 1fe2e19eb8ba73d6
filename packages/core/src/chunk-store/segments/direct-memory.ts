/**
 * Memory that a disk takes bytes from without the page cache in between (O_DIRECT): a few buffers, shared by all who write.
 *
 * Such a write must start at an address that the disk likes. Nobody can ask where a buffer begins in memory, but the kernel
 * refuses what lies wrong: each new buffer is tried, byte by byte, with reads that change nothing.
 */
import { readSync } from "node:fs";
import { limits } from "../../kernel/index.ts";
import { codeOf } from "../system-error.ts";
import { PAGE_BYTES, recordBytes } from "./layout.ts";

const BUFFERS_MAX = 4;
const ADDRESS_STEP = 8;
const BUFFER_BYTES = recordBytes(limits.chunkBytesMax);

export class DirectMemory {
  readonly #idle: Buffer[] = [];
  readonly #waiting: ((buffer: Buffer) => void)[] = [];
  #made = 0;

  /** Runs `work` with a buffer that the file `fd`, opened with O_DIRECT, takes. Undefined when it takes none. */
  async use(fd: number, work: (buffer: Buffer) => Promise<void>): Promise<true | undefined> {
    const buffer = this.#idle.pop() ?? (this.#made < BUFFERS_MAX ? this.#make(fd) : await this.#next());
    if (buffer === undefined) return undefined;
    try {
      await work(buffer);
      return true;
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#idle.push(buffer);
      else next(buffer);
    }
  }

  #next(): Promise<Buffer> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #make(fd: number): Buffer | undefined {
    const buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES + PAGE_BYTES);
    for (let at = 0; at < PAGE_BYTES; at += ADDRESS_STEP) {
      if (!isTaken(fd, buffer, at)) continue;
      this.#made++;
      return buffer.subarray(at, at + BUFFER_BYTES);
    }
    return undefined;
  }
}

function isTaken(fd: number, buffer: Buffer, at: number): boolean {
  try {
    return readSync(fd, buffer, at, PAGE_BYTES, 0) === PAGE_BYTES; // in a file without a page anything passes, and says nothing
  } catch (error) {
    if (codeOf(error) !== "EINVAL") throw error;
    return false;
  }
}
