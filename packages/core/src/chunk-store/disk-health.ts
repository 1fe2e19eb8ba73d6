import type { Logger } from "../kernel/index.ts";
import { SyncError } from "./durable-write.ts";
import { ChunkStoreError } from "./errors.ts";
import { codeOf } from "./system-error.ts";
import { full } from "./verification.ts";

/** What a disk answers that is broken, or that the kernel has made read-only because of it. */
const DISK_FAULTS = new Set(["EIO", "EROFS", "ENXIO", "ENODEV", "EUCLEAN"]);
const DISK_FULL = new Set(["ENOSPC", "EDQUOT"]);

/** Whether a disk is still believed. Once it failed a write or an fsync it never is again, as long as the process lives. */
export class DiskHealth {
  readonly #logger: Logger;
  #errors = 0;
  #failure: string | undefined;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Operations that the disk failed. */
  get errors(): number {
    return this.#errors;
  }

  /** Why it takes no more writes. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** Throws `store.failed` once the disk has failed. */
  requireSound(): void {
    if (this.#failure === undefined) return;
    throw new ChunkStoreError("store.failed", "This node's disk failed and takes no more chunks. Check the disk, then restart the node.", {
      reason: this.#failure,
    });
  }

  /** Counts a read that the disk failed; what is not the disk's fault is thrown again. */
  noteFailedRead(error: unknown): void {
    if (!DISK_FAULTS.has(codeOf(error))) throw error;
    this.#errors++;
  }

  /** Says what a failed write means for the store. */
  refuse(error: unknown): never {
    if (error instanceof SyncError || DISK_FAULTS.has(codeOf(error))) {
      this.#errors++;
      this.#failure ??= (error as Error).message;
      this.#logger.fatal({ err: error }, "the disk failed; no more chunks are taken");
      this.requireSound();
    }
    if (DISK_FULL.has(codeOf(error))) throw full({});
    throw error;
  }
}
