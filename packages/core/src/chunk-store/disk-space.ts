import { statfs } from "node:fs/promises";
import { limits } from "../kernel/index.ts";
import { full } from "./verification.ts";

export interface DiskSpace {
  capacityBytes: number;
  /** Free for chunks: what the disk has left, less the reserve and what is being written. Never negative. */
  freeBytes: number;
}

/** The room of one disk. The reserve keeps a full disk able to delete, log and recover; writes stop before it. */
export class DiskRoom {
  readonly #directory: string;
  readonly #reserveBytes: number | undefined;
  #claimedBytes = 0;

  /** `reserveBytes` replaces the share that `limits` asks for. */
  constructor(directory: string, reserveBytes: number | undefined) {
    this.#directory = directory;
    this.#reserveBytes = reserveBytes;
  }

  async space(): Promise<DiskSpace> {
    const { bsize, blocks, bavail } = await statfs(this.#directory);
    const capacityBytes = blocks * bsize;
    const reserveBytes = this.#reserveBytes ?? Math.max(limits.reserveBytesMin, capacityBytes * limits.reserveRatio);
    return { capacityBytes, freeBytes: Math.max(0, Math.floor(bavail * bsize - reserveBytes - this.#claimedBytes)) };
  }

  /** Runs `write` with `bytes` set aside for it, so that many at once do not share the same last room. Rejects with `store.full`. */
  async within<T>(bytes: number, write: () => Promise<T>): Promise<T> {
    const { freeBytes } = await this.space();
    if (freeBytes < bytes) throw full({ freeBytes });
    this.#claimedBytes += bytes;
    try {
      return await write();
    } finally {
      this.#claimedBytes -= bytes;
    }
  }
}
