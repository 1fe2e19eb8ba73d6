/**
 * Chunks on one disk, many to a file.
 *
 * Stored: `segments/<number>.seg`, files of a fixed length whose space is taken before they are used and that are used
 * again when what is in them is gone; in each, records of a header and a chunk. Beside a segment, `<number>.marks` says what
 * became of its chunks since. In memory: where each chunk is, and nothing else; it is read back at every start. Writing to
 * files that are there already, and one sync for all who wait, is what makes this store faster than a file for each chunk.
 *
 * What can go wrong, and what becomes of it:
 * - the process dies in mid-write: half a record, which no start takes for one;
 * - a bit flips: seen at the next read or `put`; the chunk is no longer held and is remembered as lost until it is put again;
 * - the disk is full: `store.full`; what marks and compaction need is taken from the reserve;
 * - the disk fails, or a sync does: the store takes no more writes until the process is started anew;
 * - a segment's header is damaged twice over: its chunks are missing, the file is left alone.
 */
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import type { ChunkId } from "../../chunking/index.ts";
import { type Clock, limits, type Logger, systemClock } from "../../kernel/index.ts";
import type { ChunkPart } from "../chunk-part.ts";
import type { ChunkStat, PutResult, ReadOptions, StoreStats } from "../chunk-store.ts";
import type { Purged, TrashedChunk } from "../chunk-trash.ts";
import { DiskHealth } from "../disk-health.ts";
import { DiskRoom } from "../disk-space.ts";
import { syncDirectory } from "../durable-write.ts";
import type { ChunkPlace, LocalChunkStore, LostChunk } from "../local-chunk-store.ts";
import type { MovingChunk } from "../migration/moving-chunk.ts";
import { Turns } from "../turns.ts";
import { corrupt, notFound } from "../verification.ts";
import { checkedChunk } from "./checked-chunk.ts";
import type { ChunkState } from "./chunk-event.ts";
import type { LocatedEvent } from "./chunk-index.ts";
import { PartReader, readChunk } from "./chunk-reader.ts";
import { Compaction } from "./compaction.ts";
import { chunkAt } from "./layout.ts";
import { OpenFiles } from "./open-files.ts";
import { type SegmentFileSystem, segmentFileSystem } from "./placed-file.ts";
import { recoverSegments } from "./recovery.ts";
import { Segments } from "./segments.ts";

export interface SegmentChunkStoreOptions {
  /** Made when absent; its parent must exist. */
  directory: string;
  /** Free bytes never written to, instead of the share in `limits`. */
  reserveBytes?: number | undefined;
  /** What segments grow to, instead of what `limits` says. */
  segmentBytes?: number;
  /** How often it looks for space to win back, instead of what `limits` says. */
  compactionIntervalMs?: number;
  logger: Logger;
  /** Of a disk that another store is on, too. */
  health?: DiskHealth;
  fileSystem?: SegmentFileSystem;
  clock?: Clock;
}

const FOREIGN_FILES_LOGGED = 5;
/** Users are taken to be there for so long after one came. */
const BUSY_MS = 200;

export class SegmentChunkStore implements LocalChunkStore {
  readonly #segments: Segments;
  readonly #compaction: Compaction;
  readonly #health: DiskHealth;
  readonly #room: DiskRoom;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #turns = new Turns<ChunkId>();
  readonly #parts: PartReader;
  readonly #foreignFiles: number;
  #corruptChunks = 0;
  /** When somebody last came with a chunk or for one. */
  #servedAtMs = Number.NEGATIVE_INFINITY;

  /** Reads what is there. Only one process at a time may have a directory open. */
  static async open(options: SegmentChunkStoreOptions): Promise<SegmentChunkStore> {
    const { logger, fileSystem = segmentFileSystem, segmentBytes = limits.segmentBytes } = options;
    const directory = join(options.directory, "segments");
    if (mkdirSync(directory, { recursive: true }) !== undefined) await syncDirectory(dirname(directory));
    const files = new OpenFiles(fileSystem, limits.segmentFilesOpenMax);
    const recovered = await recoverSegments(directory, files, logger);
    const { foreign } = recovered;
    if (foreign.length > 0) {
      logger.warn({ count: foreign.length, examples: foreign.slice(0, FOREIGN_FILES_LOGGED) }, "files that are not ours are left alone");
    }
    const health = options.health ?? new DiskHealth(logger);
    const room = new DiskRoom(options.directory, options.reserveBytes);
    const segments = new Segments({ directory, segmentBytes, room, health, fileSystem, files, recovered });
    return new SegmentChunkStore(options, { segments, health, room, foreignFiles: foreign.length });
  }

  private constructor(
    { logger, clock = systemClock, compactionIntervalMs = limits.compactionIntervalMs }: SegmentChunkStoreOptions,
    { segments, health, room, foreignFiles }: { segments: Segments; health: DiskHealth; room: DiskRoom; foreignFiles: number },
  ) {
    this.#segments = segments;
    this.#health = health;
    this.#room = room;
    this.#logger = logger;
    this.#clock = clock;
    this.#foreignFiles = foreignFiles;
    this.#parts = new PartReader(health);
    this.#compaction = new Compaction({
      segments,
      appender: segments.compactor,
      health,
      isBusy: () => clock.monotonicMs() - this.#servedAtMs < BUSY_MS,
      intervalMs: compactionIntervalMs,
      verify: (id) => this.#verify(id),
      logger,
    });
    segments.onFull(() => this.#compaction.reclaim());
  }

  async put(id: ChunkId, bytes: Buffer): Promise<PutResult> {
    const chunk = checkedChunk(id, bytes);
    this.#servedAtMs = this.#clock.monotonicMs();
    return this.#turns.run(id, async () => {
      this.#health.requireSound();
      const isKnown = this.#segments.index.find(id) !== undefined;
      if (isKnown && (await this.#holdsWhole(id))) return { stored: false };
      if (isKnown && (await this.#takeBack(id))) return { stored: true };
      await this.#segments.append(id, chunk);
      return { stored: true };
    });
  }

  /** Takes over a whole chunk of another store on this disk, and its hour if it was in the trash; durable when it resolves. */
  async adopt({ id, bytes, trashedAt }: MovingChunk): Promise<void> {
    const chunk = checkedChunk(id, bytes);
    return this.#turns.run(id, async () => {
      this.#health.requireSound();
      if ((await this.#holdsWhole(id)) || this.#segments.index.find(id)?.state === "trashed") return;
      await this.#segments.append(id, chunk, trashedAt);
    });
  }

  /** Likewise, a chunk that was lost there. False while nothing was ever put here. */
  adoptLost({ id, lostAt }: LostChunk): Promise<boolean> {
    return this.#turns.run(id, async () => this.#segments.index.find(id) !== undefined || this.#segments.adoptLost(id, lostAt));
  }

  async get(id: ChunkId, options?: ReadOptions): Promise<Buffer> {
    const held = this.#segments.index.held(id);
    if (held === undefined) throw notFound(id);
    this.#servedAtMs = this.#clock.monotonicMs();
    const bytes = await this.#read(held, options);
    return bytes ?? this.#turns.run(id, () => this.#readAgain(id, options?.into));
  }

  /** Not in the chunk's turn, and nothing is set aside: what does not come out right is read whole, which is. */
  async getPart(id: ChunkId, part: ChunkPart, { into }: ReadOptions = {}): Promise<Buffer | undefined> {
    const held = this.#segments.index.held(id);
    if (held === undefined) return undefined;
    this.#servedAtMs = this.#clock.monotonicMs();
    return this.#parts.read(this.#segments.of(held), held, part, into);
  }

  async stat(id: ChunkId): Promise<ChunkStat | undefined> {
    const held = this.#segments.index.held(id);
    return held && { id, length: held.length };
  }

  /** Not synced: a deletion that a power cut undoes leaves a surplus copy, which the cluster finds and removes again. */
  delete(id: ChunkId): Promise<boolean> {
    return this.#turns.run(id, async () => {
      const held = this.#segments.index.held(id);
      if (held === undefined) return false;
      await this.#segments.mark(id, "deleted", { durable: false });
      return true;
    });
  }

  async list(after: ChunkId | undefined, limit: number): Promise<ChunkStat[]> {
    return this.#segments.index.page("held", after, limit).map(({ id, length }) => ({ id, length }));
  }

  async trash(ids: readonly ChunkId[]): Promise<ChunkId[]> {
    this.#health.requireSound();
    const discard = async (id: ChunkId): Promise<boolean> => {
      const known = this.#segments.index.find(id);
      if (known?.state === "held") await this.#markNow(id, "trashed");
      return known?.state === "held" || known?.state === "trashed";
    };
    const gone = await Promise.all(ids.map((id) => this.#turns.run(id, () => discard(id))));
    return ids.filter((_id, index) => gone[index]);
  }

  async restore(ids: readonly ChunkId[]): Promise<ChunkId[]> {
    this.#health.requireSound();
    const restored: ChunkId[] = [];
    for (const id of ids) {
      if (await this.#turns.run(id, async () => (await this.#holdsWhole(id)) || (await this.#takeBack(id)))) restored.push(id); // each is read whole: one at a time in memory
    }
    return restored;
  }

  async listTrash(after: ChunkId | undefined, limit: number): Promise<TrashedChunk[]> {
    return this.#segments.index.page("trashed", after, limit).map(({ id, length, atMs }) => ({ id, length, trashedAt: atMs }));
  }

  /** Not synced, as `delete`. */
  async purgeTrash(olderThanMs: number): Promise<Purged> {
    const purged: Purged = { chunks: 0, bytes: 0 };
    const due = this.#segments.index.trashedBefore(this.#clock.now().getTime() - olderThanMs, limits.purgeChunksMax);
    await Promise.all(
      due.map((id) =>
        this.#turns.run(id, async () => {
          const length = await this.#purge(id, olderThanMs);
          if (length === undefined) return;
          purged.chunks++;
          purged.bytes += length;
        }),
      ),
    );
    return purged;
  }

  async stats(): Promise<StoreStats> {
    const { capacityBytes, freeBytes } = await this.#room.space();
    const isFull = freeBytes < limits.chunkBytesMax && !this.#segments.hasRoomFor(limits.chunkBytesMax);
    const reason = this.#health.failure ?? (isFull ? "the disk is full but for its reserve." : "");
    return {
      capacityBytes,
      freeBytes: freeBytes + this.#segments.freeBytes,
      usedBytes: this.#segments.index.usedBytes,
      chunkCount: this.#segments.index.chunkCount,
      writable: reason === "",
      reason,
      diskErrors: this.#health.errors,
      corruptChunks: this.#corruptChunks,
      foreignFiles: this.#foreignFiles,
    };
  }

  async lost(after: ChunkId | undefined, limit: number): Promise<LostChunk[]> {
    return this.#segments.index.page("lost", after, limit).map(({ id, atMs }) => ({ id, lostAt: atMs }));
  }

  async locate(id: ChunkId): Promise<ChunkPlace | undefined> {
    const known = this.#segments.index.find(id);
    if (known === undefined || known.state === "lost") return undefined;
    const { path } = this.#segments.of(known);
    return { path, offset: chunkAt(known.offset, known.length), length: known.length };
  }

  /** Wins back what space can be won back, now and not in its own time. */
  compact(): Promise<void> {
    return this.#compaction.reclaimAll();
  }

  async close(): Promise<void> {
    await this.#turns.idle();
    await this.#compaction.stop();
    await this.#segments.close();
  }

  #read(known: LocatedEvent, options?: ReadOptions): Promise<Buffer | undefined> {
    return readChunk(this.#segments.of(known), known, this.#health, options);
  }

  /** False when it is not in the trash or rotted there. */
  async #takeBack(id: ChunkId): Promise<boolean> {
    const trashed = this.#segments.index.find(id);
    if (trashed?.state !== "trashed") return false;
    if ((await this.#read(trashed)) === undefined) {
      await this.#setAside(trashed);
      return false;
    }
    await this.#segments.mark(id, "held");
    return true;
  }

  /** Its length, or undefined when it stays. */
  async #purge(id: ChunkId, olderThanMs: number): Promise<number | undefined> {
    const trashed = this.#segments.index.find(id);
    if (trashed?.state !== "trashed" || this.#clock.now().getTime() - trashed.atMs < olderThanMs) return undefined;
    await this.#segments.mark(id, "deleted", { durable: false });
    return trashed.length;
  }

  /** Whoever asks is about to count this copy as durable, so an entry in the index is not enough: a damaged record makes way for a good one. */
  async #holdsWhole(id: ChunkId): Promise<boolean> {
    const held = this.#segments.index.held(id);
    if (held === undefined) return false;
    if ((await this.#read(held)) !== undefined) return true;
    await this.#setAside(held);
    return false;
  }

  /** Looks once more first: while we waited, somebody else may have set the bad copy aside and put a good one in its place. */
  async #readAgain(id: ChunkId, into: Buffer | undefined): Promise<Buffer> {
    const held = this.#segments.index.held(id);
    if (held === undefined) throw notFound(id);
    const bytes = await this.#read(held, { into });
    if (bytes !== undefined) return bytes;
    await this.#setAside(held);
    throw corrupt(id);
  }

  async #setAside(damaged: LocatedEvent): Promise<void> {
    this.#corruptChunks++;
    this.#logger.error({ chunk: damaged.id }, "a damaged chunk was set aside");
    await this.#markNow(damaged.id, "lost").catch((error: unknown) => {
      this.#logger.error({ chunk: damaged.id, err: error }, "it could not be marked as lost; until the next start it is not held");
      this.#segments.index.apply({ ...damaged, state: "lost", atMs: this.#clock.now().getTime() });
    });
  }

  /** For compaction, which found it damaged. */
  #verify(id: ChunkId): Promise<void> {
    return this.#turns.run(id, async () => {
      const known = this.#segments.index.find(id);
      if (known === undefined || known.state === "lost" || (await this.#read(known)) !== undefined) return;
      await this.#setAside(known);
    });
  }

  #markNow(id: ChunkId, state: ChunkState): Promise<void> {
    return this.#segments.mark(id, state, { atMs: this.#clock.now().getTime() });
  }
}
