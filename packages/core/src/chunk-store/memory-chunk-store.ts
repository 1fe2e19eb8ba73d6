import { type ChunkId, chunkIdOf } from "../chunking/index.ts";
import { type Clock, GiB, limits, systemClock } from "../kernel/index.ts";
import { viewFor } from "./buffers.ts";
import type { ChunkStat, PutResult, ReadOptions, StoreStats } from "./chunk-store.ts";
import type { Purged, TrashedChunk } from "./chunk-trash.ts";
import type { LocalChunkStore, LostChunk } from "./local-chunk-store.ts";
import { corrupt, full, notFound, requireWhole } from "./verification.ts";

/** Chunks in memory, for tests: everything the contract says except that it survives the process. */
export class MemoryChunkStore implements Omit<LocalChunkStore, "locate"> {
  /** The held bytes themselves, so that a test can damage them. */
  readonly chunks = new Map<ChunkId, Buffer>();
  /** Likewise. */
  readonly trashed = new Map<ChunkId, { bytes: Buffer; trashedAt: number }>();
  /** When each damaged chunk was found; until it is put again. */
  readonly #lost = new Map<ChunkId, number>();
  readonly #capacityBytes: number;
  readonly #clock: Clock;
  #usedBytes = 0;
  #corruptChunks = 0;

  constructor(capacityBytes: number = GiB, clock: Clock = systemClock) {
    this.#capacityBytes = capacityBytes;
    this.#clock = clock;
  }

  async put(id: ChunkId, bytes: Buffer): Promise<PutResult> {
    requireWhole(id, bytes);
    if (this.#holdsWhole(id)) return { stored: false };
    if (this.#takeBack(id)) return { stored: true };
    if (this.#usedBytes + bytes.length > this.#capacityBytes) throw full({ freeBytes: this.#capacityBytes - this.#usedBytes });
    this.chunks.set(id, Buffer.from(bytes));
    this.#lost.delete(id);
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

  async getPart(): Promise<undefined> {}

  async stat(id: ChunkId): Promise<ChunkStat | undefined> {
    const bytes = this.chunks.get(id);
    return bytes && { id, length: bytes.length };
  }

  async delete(id: ChunkId): Promise<boolean> {
    return this.#remove(id);
  }

  async list(after: ChunkId | undefined, limit: number): Promise<ChunkStat[]> {
    const held = [...this.chunks].map(([id, { length }]) => ({ id, length }));
    return pageOf(held, after, limit);
  }

  async trash(ids: readonly ChunkId[]): Promise<ChunkId[]> {
    for (const id of ids) {
      const bytes = this.chunks.get(id);
      if (bytes !== undefined) this.trashed.set(id, { bytes, trashedAt: this.#clock.now().getTime() });
      this.#remove(id);
    }
    return ids.filter((id) => this.trashed.has(id));
  }

  async restore(ids: readonly ChunkId[]): Promise<ChunkId[]> {
    return ids.filter((id) => this.#holdsWhole(id) || this.#takeBack(id));
  }

  async listTrash(after: ChunkId | undefined, limit: number): Promise<TrashedChunk[]> {
    const trashed = [...this.trashed].map(([id, { bytes, trashedAt }]) => ({ id, length: bytes.length, trashedAt }));
    return pageOf(trashed, after, limit);
  }

  async purgeTrash(olderThanMs: number): Promise<Purged> {
    const due = [...this.trashed].filter(([, { trashedAt }]) => this.#clock.now().getTime() - trashedAt >= olderThanMs);
    const purged: Purged = { chunks: 0, bytes: 0 };
    for (const [id, { bytes }] of due.slice(0, limits.purgeChunksMax)) {
      this.trashed.delete(id);
      purged.chunks++;
      purged.bytes += bytes.length;
    }
    return purged;
  }

  async lost(after: ChunkId | undefined, limit: number): Promise<LostChunk[]> {
    const lost = [...this.#lost].map(([id, lostAt]) => ({ id, lostAt }));
    return pageOf(lost, after, limit);
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
    this.#lost.set(id, this.#clock.now().getTime());
    this.#corruptChunks++;
    return false;
  }

  #takeBack(id: ChunkId): boolean {
    const trashed = this.trashed.get(id);
    this.trashed.delete(id);
    if (trashed === undefined) return false;
    this.chunks.set(id, trashed.bytes);
    this.#usedBytes += trashed.bytes.length;
    return this.#holdsWhole(id);
  }

  #remove(id: ChunkId): boolean {
    this.#usedBytes -= this.chunks.get(id)?.length ?? 0;
    return this.chunks.delete(id);
  }
}

function pageOf<Item extends { id: ChunkId }>(items: readonly Item[], after: ChunkId | undefined, limit: number): Item[] {
  const rest = items.filter(({ id }) => after === undefined || id > after);
  return rest.toSorted((one, other) => (one.id < other.id ? -1 : 1)).slice(0, limit);
}
