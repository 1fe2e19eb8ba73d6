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

/** From this length on a chunk gets a buffer for the longest. */
const LONG_BYTES_MIN = 256 * KiB;
/** What is between these and a long one is too rare to be kept for. */
const SHORT_BUFFER_BYTES: readonly number[] = [4 * KiB, 8 * KiB, 16 * KiB, 32 * KiB, 64 * KiB];
const SHORT_BYTES_KEPT_MAX = 1 * MiB;

/**
 * Memory for chunks on their way through, bounded and used again. Fresh buffers of megabytes would cost more than the
 * network's copy does: each of their pages is zeroed by the kernel, and the garbage collector notices them late. Fresh ones
 * for short chunks are little each, but thousands a second of them are what the garbage collector is then busy with.
 */
export class ChunkBuffers {
  readonly #budget: ByteBudget;
  readonly #idle = new Map([...SHORT_BUFFER_BYTES, limits.chunkBytesMax].map((bytes) => [bytes, [] as Buffer[]]));
  #shortBytesKept = 0;
  readonly #allocate: (bytes: number) => Buffer;

  /** `onPages`: they are filled from a disk past the page cache, or written to one. */
  constructor(totalBytes: number, { onPages = false } = {}) {
    this.#budget = new ByteBudget(totalBytes);
    this.#allocate = onPages ? allocatePages : (bytes) => Buffer.allocUnsafeSlow(bytes);
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
    return this.#lend(length, await this.#budget.acquire(bufferBytes(length), signal));
  }

  /** Undefined when there is no room now, or when others wait for it already. */
  tryAcquire(length: number): ChunkBuffer | undefined {
    const release = this.#budget.tryAcquire(bufferBytes(length));
    return release && this.#lend(length, release);
  }

  #lend(length: number, giveBack: Release): ChunkBuffer {
    const heldBytes = bufferBytes(length);
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
    if (bytes === limits.chunkBytesMax) return kept ?? this.#allocate(bytes);
    if (kept === undefined) return Buffer.allocUnsafeSlow(bytes);
    this.#shortBytesKept -= bytes;
    return kept;
  }

  #keep(buffer: Buffer): void {
    const { length } = buffer;
    const idle = this.#idle.get(length);
    if (idle === undefined) return;
    if (length < LONG_BYTES_MIN) {
      if (this.#shortBytesKept + length > SHORT_BYTES_KEPT_MAX) return;
      this.#shortBytesKept += length;
    }
    idle.push(buffer);
  }
}

/** At most twice what a short chunk needs: whatever no kept buffer fits gets one of its own length. */
function bufferBytes(length: number): number {
  if (length >= LONG_BYTES_MIN) return limits.chunkBytesMax;
  return SHORT_BUFFER_BYTES.find((bytes) => bytes >= length && bytes < 2 * length) ?? length;
}
