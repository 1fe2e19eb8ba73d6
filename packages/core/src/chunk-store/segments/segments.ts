/** The segments of a store and the index of what is in them, changed together: first on the disk, then in memory. */
import type { ChunkId } from "../../chunking/index.ts";
import type { DiskHealth } from "../disk-health.ts";
import type { DiskRoom } from "../disk-space.ts";
import { Appender } from "./appender.ts";
import type { ChunkState } from "./chunk-event.ts";
import type { ChunkIndex, LocatedEvent } from "./chunk-index.ts";
import type { OpenFiles } from "./open-files.ts";
import type { SegmentFileSystem } from "./placed-file.ts";
import type { RecoveredSegments } from "./recovery.ts";
import type { Segment } from "./segment.ts";
import { SegmentPool } from "./segment-pool.ts";
import type { Sequence } from "./sequence.ts";

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

  constructor({ recovered, ...options }: SegmentsOptions) {
    this.index = recovered.index;
    this.#segments = recovered.segments;
    this.#sequence = recovered.sequence;
    this.#files = options.files;
    this.#health = options.health;
    this.#pool = new SegmentPool({ ...options, ...recovered });
    this.#appender = new Appender(this.#pool, options, recovered.unended, (segment) => this.#segments.set(segment.number, segment));
  }

  get freeBytes(): number {
    return this.#pool.freeBytes + this.#appender.freeBytes;
  }

  hasRoomFor(chunkLength: number): boolean {
    return this.#pool.hasRoomFor(chunkLength) || this.#appender.hasRoomFor(chunkLength);
  }

  /** Of what the index knows. */
  of({ segment }: LocatedEvent): Segment {
    return this.#segments.get(segment)!;
  }

  /** Resolves when the chunk is durable and held. */
  async append(id: ChunkId, chunk: Buffer): Promise<void> {
    const record = { state: "held", id, length: chunk.length, sequence: this.#sequence.next(), atMs: 0 } as const;
    const held = await this.#appender.append(record, chunk);
    const lost = this.index.find(id);
    this.index.apply(held);
    if (lost !== undefined) await this.#bury(lost);
  }

  /** Says what became of a chunk that is known, on the disk and then here; with `durable: false` a power cut may undo it. */
  async mark(known: LocatedEvent, state: ChunkState, options?: { durable: boolean }): Promise<void> {
    const event = { ...known, state, sequence: this.#sequence.next() };
    const segment = this.of(known);
    await segment.uses.run(() => segment.marks.append([event], options)).catch((error: unknown) => this.#health.refuse(error));
    this.index.apply(event);
  }

  async close(): Promise<void> {
    await this.#appender.idle();
    await this.#pool.idle();
    await this.#syncMarks().catch(() => undefined); // whoever needed it has waited for it
    await this.#files.closeAll();
  }

  /** A damaged record that was replaced: the good one has the higher sequence, but must not be needed to say so. */
  async #bury(lost: LocatedEvent): Promise<void> {
    const segment = this.of(lost);
    await segment.uses.run(() => segment.marks.append([{ ...lost, state: "deleted" }], { durable: false }));
  }

  async #syncMarks(): Promise<void> {
    await Promise.all([...this.#segments.values()].map(({ marks }) => marks.sync()));
  }
}
