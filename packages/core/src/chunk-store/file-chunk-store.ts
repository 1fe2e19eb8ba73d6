/**
 * Chunks on one disk, one file each.
 *
 * Stored: `chunks/ab/<id>.chunk`, and nothing else that would have to agree with it: the disk itself is the index, so a
 * node's memory does not grow with its chunks and no crash can make the two differ. Only two sums are kept. A trashed chunk
 * is the same file under `trash/`; the rename is its deletion and, as its change time, the hour of it. Copying the disk
 * sets that time anew, which only lets the chunk stay longer.
 *
 * What can go wrong, and what becomes of it:
 * - the process dies in mid-write: a file in `incoming/`, removed at the next start;
 * - a bit flips: seen at the next read or `put`, the file moves to `quarantine/`, the chunk is no longer held;
 * - the disk is full: `store.full`, the half file is removed;
 * - the disk fails, or an fsync does: the store takes no more writes until the process is started anew. After a failed
 *   fsync the kernel forgets the bytes and reports success for the next one, so no later answer of that disk is believed.
 */
import { rm, stat, unlink } from "node:fs/promises";
import type { ChunkId } from "../chunking/index.ts";
import { type Clock, limits, type Logger, systemClock } from "../kernel/index.ts";
import { ChunkDirectory, type Inventory } from "./chunk-directory.ts";
import { CHUNK_FILE_BYTES_MAX, chunkFileHeader, chunkLength, HEADER_BYTES, readChunkFile } from "./chunk-file.ts";
import { ChunkQuarantine } from "./chunk-quarantine.ts";
import type { ChunkStat, PutResult, ReadOptions, StoreStats } from "./chunk-store.ts";
import type { Purged, TrashedChunk } from "./chunk-trash.ts";
import { DiskHealth } from "./disk-health.ts";
import { DiskRoom } from "./disk-space.ts";
import { diskFileSystem, type DurableFileSystem, syncDirectory, writeDurably } from "./durable-write.ts";
import { FileTrash } from "./file-trash.ts";
import type { ChunkPlace, LocalChunkStore, LostChunk } from "./local-chunk-store.ts";
import type { MovingChunk } from "./migration/moving-chunk.ts";
import { codeOf, unlessMissing } from "./system-error.ts";
import { Turns } from "./turns.ts";
import { corrupt, notFound, requireWhole } from "./verification.ts";

export interface FileChunkStoreOptions {
  /** Made when absent; its parent must exist. */
  directory: string;
  /** Free bytes never written to, instead of the share in `limits`. */
  reserveBytes?: number | undefined;
  logger: Logger;
  /** Of a disk that another store is on, too. */
  health?: DiskHealth;
  fileSystem?: DurableFileSystem;
  clock?: Clock;
}

const FOREIGN_FILES_LOGGED = 5;

export class FileChunkStore implements LocalChunkStore {
  readonly #directory: ChunkDirectory;
  readonly #quarantine: ChunkQuarantine;
  readonly #room: DiskRoom;
  readonly #health: DiskHealth;
  readonly #fileSystem: DurableFileSystem;
  readonly #trash: FileTrash;
  readonly #turns = new Turns<ChunkId>();
  readonly #inventory: Inventory;

  /** Counts what is there and clears what was left half-written. Only one process at a time may have a directory open. */
  static async open(options: FileChunkStoreOptions): Promise<FileChunkStore> {
    const fileSystem = options.fileSystem ?? diskFileSystem;
    const directory = new ChunkDirectory(options.directory, fileSystem);
    const inventory = await directory.open();
    const { foreign } = inventory;
    if (foreign.length > 0) {
      options.logger.warn(
        { count: foreign.length, examples: foreign.slice(0, FOREIGN_FILES_LOGGED) },
        "files that are not ours are left alone",
      );
    }
    return new FileChunkStore({ ...options, fileSystem }, directory, inventory);
  }

  private constructor(options: FileChunkStoreOptions & { fileSystem: DurableFileSystem }, directory: ChunkDirectory, inventory: Inventory) {
    this.#directory = directory;
    this.#inventory = inventory;
    this.#quarantine = new ChunkQuarantine(directory.quarantine, options.logger);
    this.#room = new DiskRoom(options.directory, options.reserveBytes);
    this.#health = options.health ?? new DiskHealth(options.logger);
    this.#fileSystem = options.fileSystem;
    this.#trash = new FileTrash(directory.trash, this.#health, options.clock ?? systemClock);
  }

  async put(id: ChunkId, bytes: Buffer): Promise<PutResult> {
    requireWhole(id, bytes);
    return this.#turns.run(id, async () => {
      this.#health.requireSound();
      if (await this.#holdsWhole(id)) return { stored: false };
      if (await this.#takeBack(id)) return { stored: true };
      await this.#room.within(HEADER_BYTES + bytes.length, () => this.#write(id, bytes));
      await this.#quarantine.release(id);
      this.#inventory.chunkCount++;
      this.#inventory.usedBytes += bytes.length;
      return { stored: true };
    });
  }

  async get(id: ChunkId, { into }: ReadOptions = {}): Promise<Buffer> {
    const bytes = await this.#read(id, into);
    return bytes ?? this.#turns.run(id, () => this.#readAgain(id, into));
  }

  /** A file says what its chunk is as a whole, and nothing of its parts. */
  async getPart(): Promise<undefined> {}

  async stat(id: ChunkId): Promise<ChunkStat | undefined> {
    const file = await unlessMissing(stat(this.#directory.chunks.path(id)));
    return file && { id, length: chunkLength(file.size) };
  }

  /** Not synced: a deletion that a power cut undoes leaves a surplus copy, which the cluster finds and removes again. */
  delete(id: ChunkId): Promise<boolean> {
    return this.#turns.run(id, async () => {
      const held = await this.stat(id);
      if (held === undefined) return false;
      await unlink(this.#directory.chunks.path(id)).catch((error: unknown) => this.#health.refuse(error));
      this.#forget(held);
      return true;
    });
  }

  async list(after: ChunkId | undefined, limit: number): Promise<ChunkStat[]> {
    return this.#directory.chunks.page(after, limit, (id) => this.stat(id));
  }

  async trash(ids: readonly ChunkId[]): Promise<ChunkId[]> {
    this.#health.requireSound();
    const trashed = await Promise.all(ids.map((id) => this.#turns.run(id, () => this.#discard(id))));
    const gone = trashed.filter((id) => id !== undefined);
    const { trash, chunks } = this.#directory;
    await this.#syncAll(gone.map((id) => trash.directoryOf(id))); // first: the other way round a power cut might leave it in neither
    await this.#syncAll(gone.map((id) => chunks.directoryOf(id)));
    return gone;
  }

  async restore(ids: readonly ChunkId[]): Promise<ChunkId[]> {
    this.#health.requireSound();
    const restore = async (id: ChunkId) => ((await this.#holdsWhole(id)) || (await this.#takeBack(id)) ? id : undefined);
    const restored: (ChunkId | undefined)[] = [];
    for (const id of ids) restored.push(await this.#turns.run(id, () => restore(id))); // each is read whole: one at a time in memory
    return restored.filter((id) => id !== undefined);
  }

  async listTrash(after: ChunkId | undefined, limit: number): Promise<TrashedChunk[]> {
    return this.#directory.trash.page(after, limit, (id) => this.#trash.find(id));
  }

  /** Not synced, as `delete`. */
  async purgeTrash(olderThanMs: number): Promise<Purged> {
    const purged: Purged = { chunks: 0, bytes: 0 };
    for await (const id of this.#directory.trash.ids(undefined)) {
      if (purged.chunks === limits.purgeChunksMax) break;
      const length = await this.#turns.run(id, () => this.#trash.purge(id, olderThanMs));
      if (length === undefined) continue;
      purged.chunks++;
      purged.bytes += length;
    }
    return purged;
  }

  async stats(): Promise<StoreStats> {
    const { capacityBytes, freeBytes } = await this.#room.space();
    const reason = this.#health.failure ?? (freeBytes < CHUNK_FILE_BYTES_MAX ? "the disk is full but for its reserve." : "");
    return {
      capacityBytes,
      freeBytes,
      usedBytes: this.#inventory.usedBytes,
      chunkCount: this.#inventory.chunkCount,
      writable: reason === "",
      reason,
      diskErrors: this.#health.errors,
      corruptChunks: this.#quarantine.taken,
      foreignFiles: this.#inventory.foreign.length,
    };
  }

  async lost(after: ChunkId | undefined, limit: number): Promise<LostChunk[]> {
    const page: LostChunk[] = [];
    for await (const chunk of this.#quarantine.chunks(after)) {
      if (page.length === limit) break;
      if ((await this.stat(chunk.id)) === undefined) page.push(chunk);
    }
    return page;
  }

  close(): Promise<void> {
    return this.#turns.idle();
  }

  async locate(id: ChunkId): Promise<ChunkPlace | undefined> {
    for (const tree of [this.#directory.chunks, this.#directory.trash]) {
      const path = tree.path(id);
      const file = await unlessMissing(stat(path));
      if (file !== undefined) return { path, offset: HEADER_BYTES, length: chunkLength(file.size) };
    }
    return undefined;
  }

  /** All that are held, then all in the trash. */
  async *ids(): AsyncGenerator<ChunkId> {
    yield* this.#directory.chunks.ids(undefined);
    yield* this.#directory.trash.ids(undefined);
  }

  /**
   * Gives a chunk, held or in the trash, to whoever keeps it from now on: it goes from here once `keep` is done with it. A
   * damaged one is set aside instead. Nothing where there is none. `into` is memory to read it into.
   */
  handOver(id: ChunkId, keep: (chunk: MovingChunk) => Promise<void>, into?: Buffer): Promise<void> {
    return this.#turns.run(id, async () => {
      const held = await this.stat(id);
      const trashed = held === undefined ? await this.#trash.find(id) : undefined;
      if (held === undefined && trashed === undefined) return;
      const path = (held === undefined ? this.#directory.trash : this.#directory.chunks).path(id);
      const bytes = await this.#read(id, into, path);
      if (bytes === undefined && !(await this.#quarantine.take(id, path))) return;
      if (bytes !== undefined) {
        await keep({ id, bytes, trashedAt: trashed?.trashedAt });
        await unlink(path).catch((error: unknown) => this.#health.refuse(error));
      }
      if (held !== undefined) this.#forget(held);
    });
  }

  /** That the chunk was lost here is known elsewhere from now on, or over. */
  forgetLost(id: ChunkId): Promise<void> {
    return this.#quarantine.release(id);
  }

  /** After `close`. Directories that are not empty stay. */
  removeDirectories(): Promise<void> {
    return this.#directory.remove();
  }

  async #write(id: ChunkId, bytes: Buffer): Promise<void> {
    const destination = this.#directory.chunks.path(id);
    const paths = { temporary: this.#directory.incomingPath(id), destination };
    try {
      await writeDurably(paths, [chunkFileHeader(id, bytes.length), bytes], this.#fileSystem);
    } catch (error) {
      await rm(destination, { force: true }).catch(() => undefined); // the caller is told that it failed; the next start may find it whole
      this.#health.refuse(error);
    }
  }

  async #discard(id: ChunkId): Promise<ChunkId | undefined> {
    const held = await this.stat(id);
    if (held === undefined) return (await this.#trash.find(id)) && id;
    await this.#fileSystem
      .rename(this.#directory.chunks.path(id), this.#directory.trash.path(id))
      .catch((error: unknown) => this.#health.refuse(error));
    this.#forget(held);
    return id;
  }

  /** False when it is not in the trash or rotted there. Synced before its turn ends: from then on a `put` would count on it. */
  async #takeBack(id: ChunkId): Promise<boolean> {
    const trashed = await this.#trash.find(id);
    if (trashed === undefined) return false;
    const { trash, chunks } = this.#directory;
    const path = trash.path(id);
    if ((await this.#read(id, undefined, path)) === undefined) {
      await this.#quarantine.take(id, path);
      return false;
    }
    await this.#fileSystem.rename(path, chunks.path(id)).catch((error: unknown) => this.#health.refuse(error));
    this.#inventory.chunkCount++;
    this.#inventory.usedBytes += trashed.length;
    await this.#syncAll([chunks.directoryOf(id)]);
    return true;
  }

  async #syncAll(directories: readonly string[]): Promise<void> {
    const sync = (directory: string) => syncDirectory(directory, this.#fileSystem);
    await Promise.all([...new Set(directories)].map(sync)).catch((error: unknown) => this.#health.refuse(error));
  }

  /** Undefined when the file is not what was written, or the disk cannot read it. */
  async #read(id: ChunkId, into: Buffer | undefined, path: string = this.#directory.chunks.path(id)): Promise<Buffer | undefined> {
    try {
      return await readChunkFile(path, id, into);
    } catch (error) {
      if (codeOf(error) === "ENOENT") throw notFound(id);
      this.#health.noteFailedRead(error);
      return undefined;
    }
  }

  /** Whoever asks is about to count this copy as durable, so a name is not enough: a damaged file makes way for a good one. */
  async #holdsWhole(id: ChunkId): Promise<boolean> {
    const held = await this.stat(id);
    if (held === undefined) return false;
    if ((await this.#read(id, undefined)) !== undefined) return true;
    await this.#setAside(held);
    return false;
  }

  /** Looks once more first: while we waited, somebody else may have set the bad copy aside and put a good one in its place. */
  async #readAgain(id: ChunkId, into: Buffer | undefined): Promise<Buffer> {
    const held = await this.stat(id);
    const bytes = await this.#read(id, into);
    if (bytes !== undefined) return bytes;
    if (held !== undefined) await this.#setAside(held);
    throw corrupt(id);
  }

  async #setAside(held: ChunkStat): Promise<void> {
    if (await this.#quarantine.take(held.id, this.#directory.chunks.path(held.id))) this.#forget(held);
  }

  #forget({ length }: ChunkStat): void {
    this.#inventory.chunkCount--;
    this.#inventory.usedBytes -= length;
  }
}
