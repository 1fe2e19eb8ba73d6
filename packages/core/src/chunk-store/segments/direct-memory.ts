/**
 * What of a write goes to the disk from where it lies, and what has to be copied first, for writes past the page cache
 * (O_DIRECT): they take whole pages only. A chunk that was received into pages goes as it is, and only its header is copied.
 */
import { allocatePages, liesOnPages, limits, PAGE_BYTES } from "../../kernel/index.ts";
import { recordBytes } from "./layout.ts";

/** Writes at once; more wait. */
const BUFFERS_MAX = 4;

export class DirectMemory {
  readonly #idle: Buffer[] = [];
  readonly #waiting: ((buffer: Buffer) => void)[] = [];
  #made = 0;

  /** Runs `work` with memory for copies. False when there is none that lies on pages. */
  async use(work: (copies: Buffer) => Promise<void>): Promise<boolean> {
    const buffer = this.#idle.pop() ?? (this.#made < BUFFERS_MAX ? this.#make() : await this.#next());
    if (buffer === undefined) return false;
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

  #make(): Buffer | undefined {
    const buffer = allocatePages(recordBytes(limits.chunkBytesMax));
    if (!liesOnPages(buffer)) return undefined;
    this.#made++;
    return buffer;
  }
}

/**
 * The same bytes in whole pages: as many of the parts as possible as they are, whatever is between them in `copies`. As much
 * as `copies` takes.
 */
export function onPages(parts: readonly Buffer[], copies: Buffer): Buffer[] {
  const pages: Buffer[] = [];
  let from = 0;
  let to = 0;
  const endCopy = (): void => {
    if (to > from) pages.push(copies.subarray(from, to));
    from = to;
  };
  for (const part of parts) {
    if (liesOnPages(part) && (to - from) % PAGE_BYTES === 0) {
      endCopy();
      pages.push(part);
    } else {
      const copied = part.copy(copies, to);
      to += copied;
      if (copied < part.length) break;
    }
  }
  endCopy();
  return pages;
}
