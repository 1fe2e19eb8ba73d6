import { allocatePages, KiB, limits } from "../kernel/index.ts";
import { ByteBudget, type Release } from "./byte-budget.ts";

export interface ChunkBuffer {
  /** Of the length asked for, filled with whatever was there before. */
  readonly bytes: Buffer;
  /** What it takes of the budget. */
  readonly heldBytes: number;
  /** May be called twice. Nobody may touch `bytes` afterwards; if somebody still might, it is not `reusable` and left to them. */
  release(options?: { reusable: boolean }): void;
}

/** Shorter chunks are cheap to allocate and do not deserve a whole buffer. */
const POOLED_BYTES_MIN = 256 * KiB;

/**
 * Memory for chunks on their way through, bounded and used again. Fresh buffers of megabytes would cost more than the
 * network's copy does: each of their pages is zeroed by the kernel, and the garbage collector notices them late.
 */
export class ChunkBuffers {
  readonly #budget: ByteBudget;
  readonly #idle: Buffer[] = [];
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
    return this.#lend(length, await this.#budget.acquire(share(length), signal));
  }

  /** Undefined when there is no room now, or when others wait for it already. */
  tryAcquire(length: number): ChunkBuffer | undefined {
    const release = this.#budget.tryAcquire(share(length));
    return release && this.#lend(length, release);
  }

  #lend(length: number, giveBack: Release): ChunkBuffer {
    const pooled = length >= POOLED_BYTES_MIN;
    const buffer = pooled ? (this.#idle.pop() ?? this.#allocate(limits.chunkBytesMax)) : Buffer.allocUnsafeSlow(length);
    let held = true;
    return {
      bytes: buffer.subarray(0, length),
      heldBytes: share(length),
      release: ({ reusable } = { reusable: true }) => {
        if (!held) return;
        held = false;
        if (pooled && reusable) this.#idle.push(buffer);
        giveBack();
      },
    };
  }
}

function share(length: number): number {
  return length < POOLED_BYTES_MIN ? length : limits.chunkBytesMax;
}
