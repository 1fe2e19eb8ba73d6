/**
 * A disk on its way from a file for each chunk to segments, in full service.
 *
 * Each chunk is in one of the two stores, and whatever is asked of it is asked of that one; what is new goes into segments.
 * Meanwhile chunk after chunk is taken across: made durable there, then unlinked here. Between the two it is in both, and the
 * segments' word counts; a start that finds such a chunk unlinks it before anything else. So a crash at any moment costs
 * nothing, and how far the move came is written down nowhere: the files that are left say it.
 */
import type { ChunkId } from "../../chunking/index.ts";
import type { ChunkPart } from "../chunk-part.ts";
import type { ChunkStat, PutResult, ReadOptions, StoreStats } from "../chunk-store.ts";
import type { Purged, TrashedChunk } from "../chunk-trash.ts";
import { ChunkStoreError, type ChunkStoreErrorCode } from "../errors.ts";
import type { FileChunkStore } from "../file-chunk-store.ts";
import type { ChunkPlace, LocalChunkStore, LostChunk } from "../local-chunk-store.ts";
import type { SegmentChunkStore } from "../segments/segment-chunk-store.ts";
import { Uses } from "../segments/uses.ts";
import { Turns } from "../turns.ts";

/** What has still to move, but for the trash. */
export interface MigrationProgress {
  chunksLeft: number;
  bytesLeft: number;
}

export class MigratingChunkStore implements LocalChunkStore {
  /** Undefined once it is empty. */
  #files: FileChunkStore | undefined;
  readonly #segments: SegmentChunkStore;
  readonly #turns = new Turns<ChunkId>();
  /** Whoever goes through the files. */
  readonly #readers = new Uses();
  /** Set while it is looked whether any file is left: nobody may move one meanwhile. */
  #stillness: Promise<unknown> | undefined;

  /** Both open in the same directory; they are closed with this one. */
  static async open(files: FileChunkStore, segments: SegmentChunkStore): Promise<MigratingChunkStore> {
    for await (const id of files.ids()) {
      if ((await segments.locate(id)) !== undefined) await files.handOver(id, async () => undefined);
    }
    return new MigratingChunkStore(files, segments);
  }

  private constructor(files: FileChunkStore, segments: SegmentChunkStore) {
    this.#files = files;
    this.#segments = segments;
  }

  /** Undefined when all is across. */
  async progress(): Promise<MigrationProgress | undefined> {
    if (this.#files === undefined) return undefined;
    const { chunkCount, usedBytes } = await this.#files.stats();
    return { chunksLeft: chunkCount, bytesLeft: usedBytes };
  }

  /** What has still to go across, trash included. */
  async *left(): AsyncGenerator<ChunkPlace & { id: ChunkId }> {
    const files = this.#files;
    if (files === undefined) return;
    for await (const id of files.ids()) {
      const place = await files.locate(id);
      if (place !== undefined) yield { id, ...place };
    }
  }

  /** Takes one chunk across; nothing where it is gone. A damaged one is set aside. `into` is memory to read it into. */
  moveOn(id: ChunkId, into?: Buffer): Promise<void> {
    return this.#inTurn(id, () => this.#move(id, into));
  }

  /** Takes across which chunks were lost and, where no file is left, lets go of the files. False where there are some. */
  async finish(): Promise<boolean> {
    const files = this.#files;
    if (files === undefined) return true;
    for (const chunk of await files.lost(undefined, Number.POSITIVE_INFINITY)) {
      await this.#inTurn(chunk.id, async () => {
        if (await this.#segments.adoptLost(chunk)) await files.forgetLost(chunk.id);
      });
    }
    if (!(await this.#letGo())) return false;
    await this.#readers.over();
    await files.close();
    await files.removeDirectories();
    return true;
  }

  put(id: ChunkId, bytes: Buffer): Promise<PutResult> {
    return this.#inTurn(id, async (keeper) => {
      if (keeper === this.#files) {
        const moved = await this.#move(id).then(
          () => true,
          (error: unknown) => !isRefusal(error, "store.full") && Promise.reject(error as Error),
        );
        if (!moved) return keeper.put(id, bytes); // it is there, and needs no room
      }
      const result = await this.#segments.put(id, bytes);
      await this.#files?.forgetLost(id);
      return result;
    });
  }

  async get(id: ChunkId, options?: ReadOptions): Promise<Buffer> {
    const files = this.#files;
    if (files === undefined || (await this.#segments.locate(id)) !== undefined) return this.#segments.get(id, options);
    return files.get(id, options).catch((error: unknown) => {
      if (isRefusal(error, "chunk.not_found")) return this.#segments.get(id, options); // it went across in this moment
      throw error;
    });
  }

  /** Files have no parts. */
  getPart(id: ChunkId, part: ChunkPart, options?: ReadOptions): Promise<Buffer | undefined> {
    return this.#segments.getPart(id, part, options);
  }

  stat(id: ChunkId): Promise<ChunkStat | undefined> {
    return this.#find(id, (store) => store.stat(id));
  }

  locate(id: ChunkId): Promise<ChunkPlace | undefined> {
    return this.#find(id, (store) => store.locate(id));
  }

  delete(id: ChunkId): Promise<boolean> {
    return this.#inTurn(id, (keeper) => keeper.delete(id));
  }

  async trash(ids: readonly ChunkId[]): Promise<ChunkId[]> {
    const trashed = await Promise.all(ids.map((id) => this.#inTurn(id, (keeper) => keeper.trash([id]))));
    return trashed.flat();
  }

  async restore(ids: readonly ChunkId[]): Promise<ChunkId[]> {
    const restored: ChunkId[] = [];
    for (const id of ids) restored.push(...(await this.#inTurn(id, (keeper) => keeper.restore([id])))); // each is read whole: one at a time in memory
    return restored;
  }

  list(after: ChunkId | undefined, limit: number): Promise<ChunkStat[]> {
    return this.#page(after, limit, (store, from) => store.list(from, limit));
  }

  listTrash(after: ChunkId | undefined, limit: number): Promise<TrashedChunk[]> {
    return this.#page(after, limit, (store, from) => store.listTrash(from, limit));
  }

  lost(after: ChunkId | undefined, limit: number): Promise<LostChunk[]> {
    return this.#page(after, limit, (store, from) => store.lost(from, limit));
  }

  /** At most `limits.purgeChunksMax` of each store. */
  async purgeTrash(olderThanMs: number): Promise<Purged> {
    const old = await this.#readers.run(async () => this.#files?.purgeTrash(olderThanMs));
    const { chunks, bytes } = await this.#segments.purgeTrash(olderThanMs);
    return { chunks: chunks + (old?.chunks ?? 0), bytes: bytes + (old?.bytes ?? 0) };
  }

  async stats(): Promise<StoreStats> {
    const [old, now] = await Promise.all([this.#files?.stats(), this.#segments.stats()]);
    if (old === undefined) return now;
    return {
      ...now,
      usedBytes: now.usedBytes + old.usedBytes,
      chunkCount: now.chunkCount + old.chunkCount,
      corruptChunks: now.corruptChunks + old.corruptChunks,
      foreignFiles: now.foreignFiles + old.foreignFiles,
    };
  }

  async close(): Promise<void> {
    await this.#turns.idle();
    await this.#readers.over();
    await this.#files?.close();
    await this.#segments.close();
  }

  async #move(id: ChunkId, into?: Buffer): Promise<void> {
    await this.#files?.handOver(id, (chunk) => this.#segments.adopt(chunk), into);
  }

  /** Runs what changes a chunk, with the store that has it, or else the one where it would go. */
  async #inTurn<T>(id: ChunkId, change: (keeper: LocalChunkStore) => Promise<T>): Promise<T> {
    while (this.#stillness !== undefined) await this.#stillness;
    return this.#turns.run(id, async () => {
      const files = this.#files;
      const isInFiles = (await this.#segments.locate(id)) === undefined && (await files?.locate(id)) !== undefined;
      return change(isInFiles ? files! : this.#segments);
    });
  }

  async #find<T>(id: ChunkId, ask: (store: LocalChunkStore) => Promise<T | undefined>): Promise<T | undefined> {
    const files = this.#files;
    if (files === undefined || (await this.#segments.locate(id)) !== undefined) return ask(this.#segments);
    return (await ask(files)) ?? ask(this.#segments); // it may have gone across in this moment
  }

  /** The files are asked first: what goes across between the two is then in both pages, and not in neither. */
  async #page<Item extends { id: ChunkId }>(
    after: ChunkId | undefined,
    limit: number,
    ask: (store: LocalChunkStore, from: ChunkId | undefined) => Promise<Item[]>,
  ): Promise<Item[]> {
    return this.#readers.run(async () => {
      for (let from = after; ;) {
        const old = this.#files === undefined ? [] : await ask(this.#files, from);
        const known = await Promise.all(old.map(({ id }) => this.#segments.locate(id)));
        const onlyOld = old.filter((_item, index) => known[index] === undefined);
        const now = await ask(this.#segments, from);
        const knownTo = [old.at(-1), now.length >= limit ? now.at(-1) : undefined].filter((item) => item !== undefined);
        const [end] = knownTo.map(({ id }) => id).toSorted(); // beyond it one of the two pages may lack something
        const page = [...onlyOld, ...now].filter((item) => end === undefined || item.id <= end).toSorted(byId);
        if (page.length > 0 || end === undefined) return page.slice(0, limit);
        from = end;
      }
    });
  }

  async #letGo(): Promise<boolean> {
    const still = Promise.withResolvers<void>();
    this.#stillness = still.promise;
    try {
      await this.#turns.idle();
      const isEmpty = (await this.left().next()).done === true && (await this.#files!.lost(undefined, 1)).length === 0;
      if (isEmpty) this.#files = undefined;
      return isEmpty;
    } finally {
      this.#stillness = undefined;
      still.resolve();
    }
  }
}

function byId(one: { id: ChunkId }, other: { id: ChunkId }): number {
  return one.id < other.id ? -1 : 1;
}

function isRefusal(error: unknown, code: ChunkStoreErrorCode): boolean {
  return error instanceof ChunkStoreError && error.code === code;
}
