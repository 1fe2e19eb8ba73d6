/**
 * Reads every chunk of a node again and again, because what nobody reads may have rotted for years when it is needed.
 *
 * A pass goes through the chunks in order of their ids, slowly by default: fast enough for the whole disk within the time in
 * `limits`, slow enough to stay out of the way. Where it is, is kept on the disk, so that a node which is restarted every
 * week still gets to the end. Whatever is damaged the store itself sets aside; here it is only counted and named. An
 * operator may order a pass at full speed, or none.
 */
import { createWorker } from "../background/index.ts";
import type { ChunkBuffers } from "../byte-budget/index.ts";
import { type ChunkStat, type ChunkStore, ChunkStoreError } from "../chunk-store/index.ts";
import type { ChunkId } from "../chunking/index.ts";
import { type Clock, limits, type Logger, SECOND_MS, systemClock } from "../kernel/index.ts";
import { ScrubMemory, type ScrubProgress } from "./memory.ts";
import { Pace } from "./pace.ts";

export interface ScrubOptions {
  store: Pick<ChunkStore, "get" | "list" | "stats">;
  /** Where it remembers how far it came. */
  directory: string;
  /** As many chunks as fit are read at once. */
  memory: ChunkBuffers;
  /** Undefined for what the time in `limits` asks for. */
  bytesPerSecond?: number | undefined;
  /** Whether somebody is waiting for the disk. */
  isBusy(): boolean;
  clock?: Clock;
  logger: Logger;
}

export interface ScrubStatus {
  /** False while it rests between two passes, or was told to stop. */
  running: boolean;
  /** Of the present pass, 0 to 1; 1 while it rests. */
  progress: number;
  /** When a full pass last ended; undefined when none did. */
  lastFinishedAt: Date | undefined;
  /** Since the process started. */
  verifiedChunks: number;
  /** Likewise; only the newest, `limits.scrubCorruptListed` of them. */
  corruptFound: ChunkId[];
}

export interface Scrub {
  status(): ScrubStatus;
  /** Begins a pass, or goes on with the present one, at this speed; as fast as the disk allows when it is undefined. */
  start(bytesPerSecond?: number): void;
  /** Until it is told to start, or the process starts anew. */
  pause(): void;
  /** Waits for the reads under way. */
  stop(): Promise<void>;
}

const PAGE_CHUNKS = 64;
const LOOK_INTERVAL_MS = 1 * SECOND_MS;
const SAVE_INTERVAL_MS = 10 * SECOND_MS;

export function createScrub(options: ScrubOptions): Scrub {
  const scrubber = new Scrubber(options);
  const worker = createWorker({
    name: "scrub",
    intervalMs: LOOK_INTERVAL_MS,
    step: (signal) => scrubber.step(signal),
    onError: (error) => options.logger.error({ err: error }, "the scrub fails; it will go on"),
  });
  void worker.start();
  return {
    status: () => scrubber.status(),
    start: (bytesPerSecond) => scrubber.order({ bytesPerSecond: bytesPerSecond ?? Number.POSITIVE_INFINITY }),
    pause: () => scrubber.order("pause"),
    stop: () => worker.stop(),
  };
}

/** What an operator asked for, beyond the ordinary course of things. */
type Order = { bytesPerSecond: number } | "pause";

class Scrubber {
  readonly #options: ScrubOptions;
  readonly #clock: Clock;
  readonly #memory: ScrubMemory;
  readonly #pace: Pace;
  readonly #corruptFound: ChunkId[] = [];
  #at: ScrubProgress;
  #order: Order | undefined;
  #paused = new AbortController();
  #savedAtMs = 0;
  #verifiedChunks = 0;

  constructor(options: ScrubOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#memory = new ScrubMemory(options.directory);
    this.#pace = new Pace(() => options.isBusy(), this.#clock);
    this.#at = this.#memory.load();
  }

  status(): ScrubStatus {
    const underWay = this.#at.startedAtMs !== undefined;
    return {
      running: underWay && this.#order !== "pause",
      progress: underWay ? shareBefore(this.#at.cursor) : Number(this.#at.finishedAtMs !== undefined),
      lastFinishedAt: this.#at.finishedAtMs === undefined ? undefined : new Date(this.#at.finishedAtMs),
      verifiedChunks: this.#verifiedChunks,
      corruptFound: [...this.#corruptFound],
    };
  }

  order(order: Order): void {
    this.#order = order;
    if (order === "pause") this.#paused.abort();
    else this.#begin();
    this.#pace.change();
  }

  /** One pass, when one is due. Returns in the middle of it when it is told to pause or `signal` aborts. */
  async step(signal: AbortSignal): Promise<void> {
    if (this.#order === "pause" || !this.#isDue()) return;
    this.#begin();
    const ended = AbortSignal.any([signal, this.#paused.signal]);
    try {
      const bytesPerSecond = await this.#ordinaryBytesPerSecond();
      while (!ended.aborted) {
        const page = await this.#options.store.list(this.#at.cursor, PAGE_CHUNKS);
        if (page.length === 0) return await this.#finish();
        await this.#readAll(page, bytesPerSecond, ended);
        if (!ended.aborted) await this.#advance(page.at(-1)!.id);
      }
    } finally {
      await this.#memory.save(this.#at);
    }
  }

  #isDue(): boolean {
    const { startedAtMs, finishedAtMs } = this.#at;
    if (startedAtMs !== undefined || finishedAtMs === undefined) return true;
    return this.#clock.now().getTime() - finishedAtMs >= limits.scrubRestMs;
  }

  #begin(): void {
    if (this.#paused.signal.aborted) this.#paused = new AbortController();
    this.#at = { startedAtMs: this.#clock.now().getTime(), ...this.#at };
  }

  async #finish(): Promise<void> {
    this.#at = { finishedAtMs: this.#clock.now().getTime() };
    this.#order = undefined;
    this.#options.logger.info({ corrupt: this.#corruptFound.length, verified: this.#verifiedChunks }, "a scrub pass ended");
  }

  async #advance(cursor: ChunkId): Promise<void> {
    this.#at = { ...this.#at, cursor };
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#savedAtMs < SAVE_INTERVAL_MS) return;
    this.#savedAtMs = nowMs;
    await this.#memory.save(this.#at);
  }

  async #ordinaryBytesPerSecond(): Promise<number> {
    if (this.#options.bytesPerSecond !== undefined) return this.#options.bytesPerSecond;
    const { usedBytes } = await this.#options.store.stats();
    return Math.max(limits.scrubBytesPerSecondMin, usedBytes / (limits.scrubPassMs / SECOND_MS));
  }

  /** As many at once as there is memory for. */
  async #readAll(page: readonly ChunkStat[], ordinaryBytesPerSecond: number, signal: AbortSignal): Promise<void> {
    const rest = page.values();
    const lane = async (): Promise<void> => {
      for (const chunk of rest) {
        const bytesPerSecond = typeof this.#order === "object" ? this.#order.bytesPerSecond : ordinaryBytesPerSecond;
        await this.#pace.take(chunk.length, bytesPerSecond, signal);
        if (signal.aborted) return;
        await this.#read(chunk, signal);
      }
    };
    await Promise.all(Array.from({ length: limits.scrubChunksAtOnce }, lane));
  }

  async #read({ id, length }: ChunkStat, signal: AbortSignal): Promise<void> {
    const { store, memory } = this.#options;
    const buffer = await memory.acquire(Math.min(length, limits.chunkBytesMax), signal).catch(() => undefined); // only because it ends
    if (buffer === undefined) return;
    try {
      await store.get(id, { into: buffer.bytes, pastCache: true });
      this.#verifiedChunks++;
    } catch (error) {
      this.#note(id, error);
    } finally {
      buffer.release();
    }
  }

  /** Throws what is no fault of the chunk. One that is gone was deleted since the page was listed. */
  #note(id: ChunkId, error: unknown): void {
    const code = error instanceof ChunkStoreError ? error.code : undefined;
    if (code === "chunk.not_found") return;
    if (code !== "chunk.corrupt") throw error;
    this.#corruptFound.push(id);
    if (this.#corruptFound.length > limits.scrubCorruptListed) this.#corruptFound.shift();
  }
}

/** How many of all chunks have an id up to this one: hashes are spread evenly. */
function shareBefore(cursor: ChunkId | undefined): number {
  return cursor === undefined ? 0 : Number.parseInt(cursor.slice(0, 8), 16) / 0xffff_ffff;
}
