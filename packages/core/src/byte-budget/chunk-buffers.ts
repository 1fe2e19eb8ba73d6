import { allocatePages, KiB, limits, MiB } from "../kernel/index.ts";
import { ByteBudget, type Release } from "./byte-budget.ts";

export interface ChunkBuffer {
  /** Of the length asked for, filled with whatever was there before. */
  readonly bytes: Buffer;
  /** What it takes of the budget. */
  readonly heldBytes: number;
  /** May be called twice. Nobody may touch `bytes` afterwards; if somebody still might, it is not `reusable` and left to them. */
  release(options?: { reusable: boolean }): void;
}

/** From this length on a chunk is long. */
const LONG_BYTES_MIN = 256 * KiB;
/** What is between these and a long one is too rare to be kept for. */
const SHORT_BUFFER_BYTES: readonly number[] = [4 * KiB, 8 * KiB, 16 * KiB, 32 * KiB, 64 * KiB];
const LONG_BUFFER_BYTES: readonly number[] = [512 * KiB, 1 * MiB, 2 * MiB, limits.chunkBytesMax];
/** What is kept of the short ones, and of the long ones that are not for the longest chunks. */
const SHORT_BYTES_KEPT_MAX = 1 * MiB;
const LONG_BYTES_KEPT_MAX = 4 * MiB;

/**
 * Memory for chunks on their way through, bounded and used again. Fresh buffers of megabytes would cost more than the
 * network's copy does: each of their pages is zeroed by the kernel, and the garbage collector notices them late. Fresh ones
 * for short chunks are little each, but thousands a second of them are what the garbage collector is then busy with.
 */
export class ChunkBuffers {
  readonly #budget: ByteBudget;
  readonly #idle = new Map([...SHORT_BUFFER_BYTES, ...LONG_BUFFER_BYTES].map((bytes) => [bytes, [] as Buffer[]]));
  #shortBytesKept = 0;
  #longBytesKept = 0;
  readonly #allocate: (bytes: number) => Buffer;

  /** Of a chunk. Memory on pages is dear to come by: there each long chunk gets a buffer for the longest, which is kept. */
  readonly #bufferBytes: (length: number) => number;

  /** `onPages`: they are filled from a disk past the page cache, or written to one. */
  constructor(totalBytes: number, { onPages = false } = {}) {
    this.#budget = new ByteBudget(totalBytes);
    this.#allocate = onPages ? allocatePages : (bytes) => Buffer.allocUnsafeSlow(bytes);
    this.#bufferBytes = (length) => (length < LONG_BYTES_MIN ? shortBytes(length) : onPages ? limits.chunkBytesMax : longBytes(length));
  }

  get usedBytes(): number {
    return this.#budget.usedBytes;
  }

  /** Whether anybody waits for room. */
  get contended(): boolean {
    return this.#budget.contended;
  }

  /** Waits for room. Rejects with the signal's reason. */
  async acquire(length: number, signal?: AbortSignal): Promise<ChunkBuffer> {
    return this.#lend(length, await this.#budget.acquire(this.#bufferBytes(length), signal));
  }

  /** Undefined when there is no room now, or when others wait for it already. */
  tryAcquire(length: number): ChunkBuffer | undefined {
    const release = this.#budget.tryAcquire(this.#bufferBytes(length));
    return release && this.#lend(length, release);
  }

  #lend(length: number, giveBack: Release): ChunkBuffer {
    const heldBytes = this.#bufferBytes(length);
    const buffer = this.#take(heldBytes);
    let held = true;
    return {
      bytes: buffer.subarray(0, length),
      heldBytes,
      release: ({ reusable } = { reusable: true }) => {
        if (!held) return;
        held = false;
        if (reusable) this.#keep(buffer);
        giveBack();
      },
    };
  }

  #take(bytes: number): Buffer {
    const kept = this.#idle.get(bytes)?.pop();
    if (kept === undefined) return bytes < LONG_BYTES_MIN ? Buffer.allocUnsafeSlow(bytes) : this.#allocate(bytes);
    if (bytes < LONG_BYTES_MIN) this.#shortBytesKept -= bytes;
    else if (bytes < limits.chunkBytesMax) this.#longBytesKept -= bytes;
    return kept;
  }

  #keep(buffer: Buffer): void {
    const { length } = buffer;
    const idle = this.#idle.get(length);
    if (idle === undefined) return;
    if (length < LONG_BYTES_MIN) {
      if (this.#shortBytesKept + length > SHORT_BYTES_KEPT_MAX) return;
      this.#shortBytesKept += length;
    } else if (length < limits.chunkBytesMax) {
      if (this.#longBytesKept + length > LONG_BYTES_KEPT_MAX) return;
      this.#longBytesKept += length;
    }
    idle.push(buffer);
  }
}

/** At most twice what the chunk needs: whatever no kept buffer fits gets one of its own length. */
function shortBytes(length: number): number {
  return SHORT_BUFFER_BYTES.find((bytes) => bytes >= length && bytes < 2 * length) ?? length;
}

/** Likewise. */
function longBytes(length: number): number {
  return LONG_BUFFER_BYTES.find((bytes) => bytes >= length) ?? length;
}
