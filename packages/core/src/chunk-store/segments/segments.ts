/** The segments of a store and the index of what is in them, changed together: first on the disk, then in memory. */
import type { ChunkId } from "../../chunking/index.ts";
import type { DiskHealth } from "../disk-health.ts";
import type { DiskRoom } from "../disk-space.ts";
import { codeOf } from "../system-error.ts";
import { Appender } from "./appender.ts";
import type { CheckedChunk } from "./checked-chunk.ts";
import type { ChunkState } from "./chunk-event.ts";
import type { ChunkIndex, LocatedEvent } from "./chunk-index.ts";
import type { OpenFiles } from "./open-files.ts";
import type { SegmentFileSystem } from "./placed-file.ts";
import type { RecoveredSegments } from "./recovery.ts";
import type { Segment } from "./segment.ts";
import { SegmentPool } from "./segment-pool.ts";
import type { Sequence } from "./sequence.ts";

const DISK_FULL = new Set(["ENOSPC", "EDQUOT"]);

export interface SegmentsOptions {
  directory: string;
  segmentBytes: number;
  room: DiskRoom;
  health: DiskHealth;
  fileSystem: SegmentFileSystem;
  files: OpenFiles;
  recovered: RecoveredSegments;
}

export class Segments {
  readonly index: ChunkIndex;
  readonly #segments: Map<number, Segment>;
  readonly #sequence: Sequence;
  readonly #files: OpenFiles;
  readonly #health: DiskHealth;
  readonly #pool: SegmentPool;
  readonly #appender: Appender;
  /** For the copies of compaction. */
  readonly compactor: Appender;

  constructor({ recovered, ...options }: SegmentsOptions) {
    this.index = recovered.index;
    this.#segments = recovered.segments;
    this.#sequence = recovered.sequence;
    this.#files = options.files;
    this.#health = options.health;
    this.#pool = new SegmentPool({ ...options, ...recovered });
    const known = (segment: Segment): Segment => {
      this.#segments.set(segment.number, segment);
      return segment;
    };
    this.#appender = new Appender(async (length) => known(await this.#pool.take(length)), options, recovered.unended);
    this.compactor = new Appender(async (length) => known(await this.#pool.takeForCopies(length)), options);
    this.#pool.prepareAhead();
  }

  /** Whether chunks find no room but what compaction makes. */
  get isShort(): boolean {
    return this.#pool.isShort;
  }

  /** Of the youngest event there is, or is about to be. */
  get lastSequence(): number {
    return this.#sequence.last;
  }

  get freeBytes(): number {
    return this.#pool.freeBytes + this.#appender.freeBytes;
  }

  hasRoomFor(chunkLength: number): boolean {
    return this.#pool.hasRoomFor(chunkLength) || this.#appender.hasRoomFor(chunkLength);
  }

  /** `reclaim` is called when a chunk finds no room; false when it made none. */
  onFull(reclaim: () => Promise<boolean>): void {
    this.#pool.onFull(reclaim);
  }

  /** Those that nobody appends to any more. */
  ended(): Segment[] {
    return [...this.#segments.values()].filter((segment) => !segment.isFilling);
  }

  /** Of what the index knows. */
  of({ segment }: LocatedEvent): Segment {
    return this.#segments.get(segment)!;
  }

  /** Resolves when the chunk is durable and held, or in the trash since `trashedAt`. */
  async append(id: ChunkId, { bytes, checks }: CheckedChunk, trashedAt?: number): Promise<void> {
    const state = trashedAt === undefined ? "held" : "trashed";
    const record = { state, id, length: bytes.length, sequence: this.#sequence.next(), atMs: trashedAt ?? 0 } as const;
    const lost = this.index.apply(await this.#appender.append(record, bytes, checks));
    if (lost !== undefined) await this.bury(lost);
  }

  /**
   * Says what became of a known chunk, on the disk and then here; with `durable: false` a power cut may undo it.
   *
   * Both in one use of the segment: compaction must not give it away between the two, or it would pass on what was true before.
   */
  async mark(id: ChunkId, state: ChunkState, { atMs = 0, durable = true } = {}): Promise<void> {
    const known = this.index.find(id)!;
    const event = { ...known, state, atMs, sequence: this.#sequence.next() };
    const marked = this.of(known);
    await marked.uses.run(async () => {
      await this.#write(marked, [event], durable);
      const { segment, offset } = this.index.find(id)!; // it may have been moved meanwhile
      this.index.apply({ ...event, segment, offset });
      if (state === "lost") marked.isDamaged = true;
    });
  }

  /** Of a record that another one has replaced: that one's sequence is higher, but it must not be needed to say so. */
  async bury(record: LocatedEvent): Promise<void> {
    const segment = this.of(record);
    await segment.uses.run(() => this.#write(segment, [{ ...record, state: "deleted" }], false));
  }

  async close(): Promise<void> {
    await this.#appender.idle();
    await this.#pool.idle();
    await this.syncMarks().catch(() => undefined); // whoever needed it has waited for it
    await this.#files.closeAll();
  }

  /** Writes down, durably, what is known already. */
  async note(events: readonly LocatedEvent[]): Promise<void> {
    const bySegment = Map.groupBy(events, (event) => this.of(event));
    await Promise.all([...bySegment].map(([segment, events]) => segment.uses.run(() => this.#write(segment, events, true))));
  }

  /** Remembers a chunk that another store on this disk has lost. False while there is no segment to do it in. */
  async adoptLost(id: ChunkId, atMs: number): Promise<boolean> {
    const segment = this.#appender.segment;
    if (segment === undefined) return false;
    const lost = { state: "lost", id, segment: segment.number, offset: 0, length: 0, sequence: this.#sequence.next(), atMs } as const;
    await this.note([lost]);
    this.index.apply(lost);
    return true;
  }

  /**
   * What was lost in the segment is remembered in another from now on. False when there is no other.
   *
   * It may be put again meanwhile; then there is nothing more to remember.
   */
  async moveLost({ number }: Segment): Promise<boolean> {
    const lost = this.index.lostIn(number);
    const stays = this.ended().find((segment) => segment.number !== number);
    if (lost.length === 0 || stays === undefined) return lost.length === 0;
    const moved = lost.map((event) => ({ ...event, segment: stays.number, offset: 0 }));
    await this.note(moved);
    for (const event of moved) {
      if (this.index.find(event.id)?.state === "lost") this.index.apply(event);
      else await this.bury(event);
    }
    return true;
  }

  /** Makes durable what was marked without. */
  async syncMarks(): Promise<void> {
    const synced = Promise.all([...this.#segments.values()].map(({ marks }) => marks.sync()));
    await synced.catch((error: unknown) => this.#health.refuse(error));
  }

  /** Of a segment whose records are all gone or elsewhere. Where damage was found, nothing is written again. */
  async giveAway(segment: Segment): Promise<void> {
    this.#segments.delete(segment.number);
    await segment.uses.over();
    await this.#pool.give(segment, { reuse: !segment.isDamaged }).catch((error: unknown) => this.#health.refuse(error));
  }

  /** Where the disk has no room even for that, an empty segment makes some. */
  async #write({ marks }: Segment, events: readonly LocatedEvent[], durable: boolean): Promise<void> {
    const append = (): Promise<void> => marks.append(events, { durable });
    const written = append().catch(async (error: unknown) => {
      if (!DISK_FULL.has(codeOf(error)) || !(await this.#pool.dropSpare())) throw error;
      await append();
    });
    await written.catch((error: unknown) => this.#health.refuse(error));
  }
}
