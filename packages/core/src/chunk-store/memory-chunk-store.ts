import { type ChunkId, chunkIdOf } from "../chunking/index.ts";
import { GiB, limits } from "../kernel/index.ts";
import { viewFor } from "./buffers.ts";
import type { ChunkStat, ChunkStore, PutResult, ReadOptions, StoreStats } from "./chunk-store.ts";
import { corrupt, full, notFound, requireWhole } from "./verification.ts";

/** Chunks in memory, for tests: everything the contract says except that it survives the process. */
export class MemoryChunkStore implements ChunkStore {
  /** The held bytes themselves, so that a test can damage them. */
  readonly chunks = new Map<ChunkId, Buffer>();
  readonly #capacityBytes: number;
  #usedBytes = 0;
  #corruptChunks = 0;

  constructor(capacityBytes: number = GiB) {
    this.#capacityBytes = capacityBytes;
  }

  async put(id: ChunkId, bytes: Buffer): Promise<PutResult> {
    requireWhole(id, bytes);
    if (this.#holdsWhole(id)) return { stored: false };
    if (this.#usedBytes + bytes.length > this.#capacityBytes) throw full({ freeBytes: this.#capacityBytes - this.#usedBytes });
    this.chunks.set(id, Buffer.from(bytes));
    this.#usedBytes += bytes.length;
    return { stored: true };
  }

  async get(id: ChunkId, { into }: ReadOptions = {}): Promise<Buffer> {
    const bytes = this.chunks.get(id);
    if (bytes === undefined) throw notFound(id);
    if (!this.#holdsWhole(id)) throw corrupt(id);
    const copy = viewFor(bytes.length, into);
    bytes.copy(copy);
    return copy;
  }

  async stat(id: ChunkId): Promise<ChunkStat | undefined> {
    const bytes = this.chunks.get(id);
    return bytes && { id, length: bytes.length };
  }

  async delete(id: ChunkId): Promise<boolean> {
    return this.#remove(id);
  }

  async list(after: ChunkId | undefined, limit: number): Promise<ChunkStat[]> {
    const ids = [...this.chunks.keys()].filter((id) => after === undefined || id > after).toSorted();
    return ids.slice(0, limit).map((id) => ({ id, length: this.chunks.get(id)!.length }));
  }

  async stats(): Promise<StoreStats> {
    const freeBytes = this.#capacityBytes - this.#usedBytes;
    const writable = freeBytes >= limits.chunkBytesMax;
    return {
      capacityBytes: this.#capacityBytes,
      freeBytes,
      usedBytes: this.#usedBytes,
      chunkCount: this.chunks.size,
      writable,
      reason: writable ? "" : "the memory is full.",
      diskErrors: 0,
      corruptChunks: this.#corruptChunks,
      foreignFiles: 0,
    };
  }

  async close(): Promise<void> {}

  /** Forgets a damaged chunk. At once: between the answer and what is done with it nobody else may come. */
  #holdsWhole(id: ChunkId): boolean {
    const bytes = this.chunks.get(id);
    if (bytes === undefined) return false;
    if (chunkIdOf(bytes) === id) return true;
    this.#remove(id);
    this.#corruptChunks++;
    return false;
  }

  #remove(id: ChunkId): boolean {
    this.#usedBytes -= this.chunks.get(id)?.length ?? 0;
    return this.chunks.delete(id);
  }
}
