/**
 * Wins back the space of what is gone: copies what is still needed out of a segment, then gives the segment to new records.
 *
 * Every copy is verified; one that rotted is set aside as lost and never copied. A copy keeps the sequence of what it
 * copies, so that until the old segment is given away either of the two may be lost, and whatever is decided of the chunk
 * meanwhile is younger than both. Before it is given away, all that was marked in it goes to the marks of where the copies
 * are. A crash at any point leaves two equal records at worst; the next start drops one.
 *
 * In the background it takes its time, and more of it while users are served. When a chunk finds no room it hurries.
 */
import { setTimeout as delay } from "node:timers/promises";
import { createWorker, type Worker } from "../../background/index.ts";
import type { ChunkId } from "../../chunking/index.ts";
import { limits, type Logger, MiB, SECOND_MS } from "../../kernel/index.ts";
import type { DiskHealth } from "../disk-health.ts";
import type { Appender } from "./appender.ts";
import { aroundBadSectors } from "./bad-sectors.ts";
import type { ChunkEvent } from "./chunk-event.ts";
import type { ChunkIndex, LocatedEvent } from "./chunk-index.ts";
import { readForCopy } from "./chunk-reader.ts";
import { readFooter } from "./footer.ts";
import { recordBytes } from "./layout.ts";
import { scanSegment } from "./scan.ts";
import type { Segment } from "./segment.ts";
import type { Segments } from "./segments.ts";

export interface CompactionOptions {
  segments: Segments;
  /** Its own, so that what has lasted stays together. */
  appender: Appender;
  health: DiskHealth;
  /** Whether users are waiting for the disk. */
  isBusy: () => boolean;
  intervalMs: number;
  /** Reads the chunk in its turn and sets it aside when it is damaged. */
  verify: (id: ChunkId) => Promise<void>;
  logger: Logger;
}

interface Copy {
  copy: LocatedEvent;
  /**
   * The record that it stands for; undefined when the chunk was deleted while it was copied. No event of that record is
   * younger than the sequence here, and whatever is decided of the chunk from then on is.
   */
  from: LocatedEvent | undefined;
}

/** Dead bytes of a segment that make it worth copying the others: in the course of things, and when there is no room. */
const DEAD_SHARE = 1 / 2;
const DEAD_SHARE_IN_NEED = 1 / 8;
const BATCH_BYTES = 4 * MiB;

export class Compaction {
  readonly #options: CompactionOptions;
  readonly #index: ChunkIndex;
  readonly #worker: Worker;
  readonly #stopping = new AbortController();
  #hurry = new AbortController();
  #lastTurn: Promise<unknown> = Promise.resolve();
  /** Segments that cannot be emptied: never given away. */
  readonly #stuck = new Set<Segment>();
  /**
   * What was copied out of segments that are not given away yet. Where the copies are, nothing is given away meanwhile: the
   * marks there are all that keeps the old records from coming back.
   */
  readonly #copies = new Map<Segment, Copy[]>();

  constructor(options: CompactionOptions) {
    this.#options = options;
    this.#index = options.segments.index;
    this.#worker = createWorker({
      name: "compaction",
      intervalMs: options.intervalMs,
      step: () => this.#inTurn(() => this.#runAll()),
      onError: (error) => options.logger.error({ err: error }, "compaction fails; it will be tried again"),
    });
    void this.#worker.start();
  }

  /** Gives one segment away, as fast as it can. False when none is worth it. */
  async reclaim(): Promise<boolean> {
    this.#hurry.abort();
    const didIt = await this.#inTurn(() => this.#runOnce(DEAD_SHARE_IN_NEED));
    this.#hurry = new AbortController();
    return didIt;
  }

  /** Gives all away that is worth it in need, as fast as it can. */
  async reclaimAll(): Promise<void> {
    for (let left = this.#options.segments.ended().length; left > 0 && (await this.reclaim()); left--);
  }

  /** Waits for what is under way. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#worker.stop();
    await this.#lastTurn;
    await this.#options.appender.idle();
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#lastTurn.then(work);
    this.#lastTurn = Promise.allSettled([turn]);
    return turn;
  }

  /** Each of those there are now once at most: what cannot be packed any closer is not moved around for ever. */
  async #runAll(): Promise<void> {
    const deadShare = this.#options.segments.isShort ? DEAD_SHARE_IN_NEED : DEAD_SHARE;
    for (let left = this.#options.segments.ended().length; left > 0 && (await this.#runOnce(deadShare)); left--);
  }

  /** False when nothing is worth it. */
  async #runOnce(deadShare: number): Promise<boolean> {
    const victim = this.#victim(deadShare);
    if (victim === undefined) return false;
    const copies = this.#copies.get(victim) ?? [];
    this.#copies.set(victim, copies);
    try {
      await this.#copyAll(victim, copies);
    } catch (error) {
      await this.#keep(victim, copies).catch(() => undefined); // then they stay needed
      throw error;
    }
    if (this.#stopping.signal.aborted) return false;
    if (this.#index.liveBytes(victim.number) === 0) return this.#giveAway(victim, copies);
    await this.#leaveAlone(victim, copies);
    return true;
  }

  /** The one with the largest share of dead bytes. */
  #victim(deadShare: number): Segment | undefined {
    const needed = new Set([...this.#copies.values()].flatMap((copies) => copies.map(({ copy }) => copy.segment)));
    let victim: Segment | undefined;
    let most = deadShare;
    for (const segment of this.#options.segments.ended()) {
      const share = 1 - this.#index.liveBytes(segment.number) / segment.sizeBytes;
      if (share < most || this.#stuck.has(segment) || needed.has(segment.number)) continue;
      most = share;
      victim = segment;
    }
    return victim;
  }

  /** What is not found by reading the segment is known of by its marks alone: the record rotted, and is found out by its place. */
  async #copyAll(victim: Segment, copies: Copy[]): Promise<void> {
    await this.#copyEach(victim, await recordsOf(victim), copies);
    if (this.#stopping.signal.aborted) return;
    if (this.#index.liveBytes(victim.number) > 0) await this.#copyEach(victim, this.#index.liveIn(victim.number), copies);
  }

  async #copyEach(victim: Segment, records: readonly ChunkEvent[], copies: Copy[]): Promise<void> {
    for (const batch of batches(records.filter((record) => this.#isLive(record, victim)))) {
      await this.#breathe(batch.reduce((sum, { length }) => sum + recordBytes(length), 0));
      if (this.#stopping.signal.aborted) return;
      const copied = await Promise.allSettled(batch.map((record) => this.#copy(record, victim)));
      copies.push(...copied.flatMap((copy) => (copy.status === "fulfilled" && copy.value !== undefined ? [copy.value] : [])));
      const failed = copied.find((copy) => copy.status === "rejected");
      if (failed !== undefined) throw failed.reason;
    }
  }

  /** Undefined when it was not copied: it was deleted meanwhile, or is damaged. */
  async #copy(record: ChunkEvent, victim: Segment): Promise<Copy | undefined> {
    const { appender, health, verify } = this.#options;
    const known = this.#index.find(record.id);
    if (known === undefined || !this.#isLive(record, victim)) return undefined;
    const chunk = await readForCopy(victim, known, health);
    if (chunk === undefined) {
      await verify(record.id);
      return undefined;
    }
    const copy = await appender.append(known, chunk.bytes, chunk.checks);
    if (!this.#isLive(record, victim)) return { copy, from: undefined };
    this.#index.apply({ ...this.#index.find(record.id)!, segment: copy.segment, offset: copy.offset });
    return { copy, from: { ...known, sequence: this.#options.segments.lastSequence } };
  }

  #isLive({ id, offset }: ChunkEvent, victim: Segment): boolean {
    const known = this.#index.find(id);
    return known !== undefined && known.state !== "lost" && known.segment === victim.number && known.offset === offset;
  }

  async #giveAway(victim: Segment, copies: readonly Copy[]): Promise<boolean> {
    const { segments } = this.#options;
    await this.#noteNews(victim, copies);
    if (!(await segments.moveLost(victim))) return false;
    await segments.syncMarks(); // a deletion that only another segment's unsynced marks tell of must not be undone by this one's end
    await segments.giveAway(victim);
    this.#copies.delete(victim);
    return true;
  }

  /**
   * The segment stays, but what was copied out of it is dead in it from now on, whatever becomes of the copies. That must not
   * be younger than the copy, where this is still true, nor than what may have been put since: it would be dead as well.
   */
  async #keep(segment: Segment, copies: readonly Copy[]): Promise<void> {
    await this.#noteNews(segment, copies);
    await this.#options.segments.note(copies.flatMap((copy) => this.#deathOf(copy) ?? []));
    this.#copies.delete(segment);
  }

  #deathOf({ copy, from }: Copy): LocatedEvent | undefined {
    if (from === undefined) return undefined;
    const { sequence } = this.#atItsPlace(copy) ?? from;
    return { ...from, state: "deleted", sequence };
  }

  /** What happened to chunks while they were copied, and nobody has marked beside the copies yet. */
  async #noteNews(victim: Segment, copies: readonly Copy[]): Promise<void> {
    await victim.uses.over(); // whoever marks in it is heard first
    await this.#options.segments.note(copies.map(({ copy }) => this.#newsOf(copy)).filter((event) => event !== undefined));
  }

  #newsOf(copy: LocatedEvent): LocatedEvent | undefined {
    const now = this.#atItsPlace(copy);
    if (now === undefined) return { ...copy, state: "deleted" };
    return now.sequence > copy.sequence ? now : undefined;
  }

  /** Undefined when the chunk is deleted, or somewhere else by now. */
  #atItsPlace(copy: LocatedEvent): LocatedEvent | undefined {
    const now = this.#index.find(copy.id);
    return now?.segment === copy.segment && now.offset === copy.offset ? now : undefined;
  }

  async #leaveAlone(segment: Segment, copies: readonly Copy[]): Promise<void> {
    this.#stuck.add(segment);
    this.#options.logger.error({ segment: segment.path }, "a segment holds chunks that cannot be found in it; it is left as it is");
    await this.#keep(segment, copies);
  }

  async #breathe(bytes: number): Promise<void> {
    const bytesPerSecond = this.#options.isBusy() ? limits.compactionBytesPerSecondMin : limits.compactionBytesPerSecond;
    const signal = AbortSignal.any([this.#stopping.signal, this.#hurry.signal]);
    await Promise.allSettled([delay((bytes / bytesPerSecond) * SECOND_MS, undefined, { signal })]);
  }
}

async function recordsOf(segment: Segment): Promise<ChunkEvent[]> {
  return segment.open(async (file) => {
    const readable = aroundBadSectors(file);
    return (await readFooter(readable, segment)) ?? (await scanSegment(readable, segment)).events;
  });
}

/** In the order of the disk, each of some megabytes at most. */
function batches(records: readonly ChunkEvent[]): ChunkEvent[][] {
  const batches: ChunkEvent[][] = [];
  let room = 0;
  for (const record of records) {
    if (record.length > room) {
      batches.push([]);
      room = BATCH_BYTES;
    }
    batches.at(-1)!.push(record);
    room -= record.length;
  }
  return batches;
}
