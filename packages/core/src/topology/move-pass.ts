/**
 * One pass of a rebalance over the chunk rows, page by page: what should move is moved, many chunks at once.
 *
 * A move is a copy that its target has read back and that is in the row; then the old copy is given up, after the others
 * were read and found whole. So there are never fewer copies than wanted within reach, whatever fails at whatever moment.
 * Memory is bounded by a page and the moves under way.
 */
import type pg from "pg";
import type { ChunkId } from "../chunking/index.ts";
import { type CopyEngine, createPace, dropCopies, type Pace, type SurplusOptions } from "../healing/index.ts";
import { type Clock, limits, type Logger, SECOND_MS } from "../kernel/index.ts";
import type { Leadership } from "../leadership/index.ts";
import type { NodeSnapshot } from "../membership/index.ts";
import type { MoveScope, TopologyView } from "./change.ts";
import { readChunk, readChunks, sumHeldBytes } from "./chunk-rows.ts";
import type { ChunkRow } from "./homes.ts";
import { createMovePlanner, type Move, type MovePlanner } from "./plan.ts";
import { type RebalanceReport, type Progress, recordProgress } from "./rebalance-row.ts";

export interface MovingParts {
  pool: pg.Pool;
  leadership: Pick<Leadership, "epoch" | "requireEpoch" | "fenced">;
  engine: Pick<CopyEngine, "run">;
  clients: SurplusOptions["clients"];
  settleMs: number;
  logger: Logger;
  clock: Clock;
}

export interface PassOutcome {
  /** Copies that were moved or given up. */
  chunks: number;
  /** Copies that should move and did not. */
  left: number;
  /** Why, of the first of them that is in nobody's hands. */
  blocked: string;
  /** Somebody paused or cancelled it, or the process ends. */
  calledOff: boolean;
}

const PAGE_CHUNKS = 1_000;
const NOTE_INTERVAL_MS = 1 * SECOND_MS;
/** Refusals in a row after which a target is left alone for the rest of the pass. */
const REFUSALS_MAX = 3;
/** How much of the latest second goes into the rate that is shown. */
const RATE_SMOOTHING = 0.3;
const NO_SOURCE = "No node has a whole copy within reach that could be the source.";

/** Rejects with what keeps every chunk from moving: the database, or another leader. */
export async function runPass(
  parts: MovingParts,
  rebalance: RebalanceReport,
  view: TopologyView,
  scope: MoveScope,
  signal: AbortSignal,
): Promise<PassOutcome> {
  const heldBytes =
    scope.kind === "spread" && view.settings.policy === "least-loaded" ? await sumHeldBytes(parts.pool) : new Map<number, number>();
  const pass = new MovePass(parts, rebalance, view, (avoided) => createMovePlanner(view, scope, heldBytes, avoided), signal);
  return await pass.run("nodeId" in scope ? scope.nodeId : undefined);
}

class MovePass {
  readonly #parts: MovingParts;
  readonly #rebalance: RebalanceReport;
  readonly #view: TopologyView;
  readonly #plan: MovePlanner;
  readonly #pace: Pace;
  readonly #calledOff = new AbortController();
  readonly #stop: AbortSignal;
  readonly #moving = new Set<Promise<void>>();
  readonly #avoided = new Set<number>();
  readonly #refusals = new Map<number, number>();
  readonly #outcome: Omit<PassOutcome, "calledOff"> = { chunks: 0, left: 0, blocked: "" };
  #noted: Progress & { atMs: number };
  #done: Omit<Progress, "bytesPerSecond"> = { chunks: 0, bytes: 0, failed: 0 };
  #broken: Error | undefined;

  constructor(
    parts: MovingParts,
    rebalance: RebalanceReport,
    view: TopologyView,
    planner: (avoided: ReadonlySet<number>) => MovePlanner,
    signal: AbortSignal,
  ) {
    this.#parts = parts;
    this.#rebalance = rebalance;
    this.#view = view;
    this.#plan = planner(this.#avoided);
    this.#pace = createPace(parts.clock);
    this.#throttle(rebalance.bytesPerSecondMax);
    this.#stop = AbortSignal.any([signal, this.#calledOff.signal]);
    this.#noted = { chunks: 0, bytes: 0, failed: 0, bytesPerSecond: rebalance.bytesPerSecond, atMs: parts.clock.monotonicMs() };
  }

  async run(holder: number | undefined): Promise<PassOutcome> {
    const noting = setInterval(() => void this.#note().catch((error: unknown) => this.#break(error)), NOTE_INTERVAL_MS);
    try {
      for await (const chunk of this.#chunks(holder)) await this.#take(chunk);
    } catch (error) {
      this.#break(error);
    } finally {
      await Promise.all(this.#moving);
      clearInterval(noting);
    }
    if (this.#broken !== undefined) throw this.#broken;
    await this.#note();
    return { ...this.#outcome, calledOff: this.#stop.aborted };
  }

  async *#chunks(holder: number | undefined): AsyncGenerator<ChunkRow> {
    const { pool, settleMs } = this.#parts;
    let after: ChunkId | undefined;
    for (;;) {
      const page = await readChunks(pool, { after, limit: PAGE_CHUNKS, holder, settledForMs: settleMs });
      for (const chunk of page) {
        if (this.#stop.aborted) return;
        yield chunk;
      }
      if (page.length < PAGE_CHUNKS) return;
      after = page.at(-1)!.id;
    }
  }

  async #take(chunk: ChunkRow): Promise<void> {
    const { moves, blocked } = this.#plan(chunk);
    if (blocked !== "") this.#leave(blocked);
    if (moves.length === 0) return;
    const movingMax = limits.healingChunksPerNode * Math.max(2, this.#view.nodes.length);
    while (this.#moving.size >= movingMax) await Promise.race(this.#moving);
    const moving = this.#moveAll(moves)
      .catch((error: unknown) => this.#break(error))
      .finally(() => this.#moving.delete(moving));
    this.#moving.add(moving);
  }

  async #moveAll(moves: readonly Move[]): Promise<void> {
    for (const move of moves) {
      if (this.#stop.aborted) return;
      await this.#move(move);
    }
  }

  async #move(move: Move): Promise<void> {
    const { id, length } = move.chunk;
    if (move.to !== undefined && !(await this.#copy(move, move.to))) return;
    const chunk = await readChunk(this.#parts.pool, id); // as it is now, minutes after it was planned
    if (chunk === undefined || move.drop === undefined || !chunk.replicas.includes(move.drop.id)) return;
    if (!(await this.#giveUp(chunk, move.drop, move.why))) return;
    this.#done.chunks++;
    if (move.to !== undefined) this.#done.bytes += length;
    this.#outcome.chunks++;
  }

  /** True when there is one copy more. */
  async #copy({ chunk, why }: Move, to: NodeSnapshot): Promise<boolean> {
    const from = this.#holders(chunk).filter(({ health }) => health !== "down");
    if (from.length === 0) {
      this.#fail(NO_SOURCE);
      return false;
    }
    const task = { chunkId: chunk.id, length: chunk.length, from, to, why, copiesLeft: from.length };
    const outcome = await this.#pace
      .pass(chunk.length, { urgent: false, signal: this.#stop })
      .then(() => this.#parts.engine.run(task, this.#stop))
      .catch(() => ({ state: "cancelled" as const }));
    switch (outcome.state) {
      case "copied":
        this.#refusals.delete(to.id);
        return true;
      case "failed":
        throw outcome.error;
      case "refused":
        this.#refused(to);
        this.#fail(`${to.name} takes no copies: ${outcome.reason}`);
        return false;
      case "no-source":
        this.#fail(NO_SOURCE);
        return false;
      case "unwanted":
      case "cancelled":
        return false;
    }
  }

  /** Only with the wanted number of others, which are read and found whole before. */
  async #giveUp(chunk: ChunkRow, drop: NodeSnapshot, why: string): Promise<boolean> {
    const { replicas } = this.#view.settings;
    const kept = this.#holders(chunk).filter(({ id, health }) => id !== drop.id && health !== "down");
    if (kept.length < replicas) {
      this.#leave("Some copies are on nodes that are down: what replaces them must be there before others are given up.");
      return false;
    }
    if (await dropCopies(this.#parts, chunk.id, [{ node: drop, kept, why }])) return true;
    this.#fail("Of some chunks a copy was not whole, or another is just being given up; they come later.");
    return false;
  }

  #holders({ replicas }: ChunkRow): NodeSnapshot[] {
    return this.#view.nodes.filter(({ id, intent }) => replicas.includes(id) && intent !== "removed");
  }

  #refused({ id }: NodeSnapshot): void {
    const refusals = (this.#refusals.get(id) ?? 0) + 1;
    this.#refusals.set(id, refusals);
    if (refusals >= REFUSALS_MAX) this.#avoided.add(id);
  }

  #fail(reason: string): void {
    this.#done.failed++;
    this.#leave(reason);
  }

  #leave(reason: string): void {
    this.#outcome.left++;
    this.#outcome.blocked ||= reason;
  }

  #break(error: unknown): void {
    this.#broken ??= error instanceof Error ? error : new Error(String(error));
    this.#calledOff.abort();
  }

  #throttle(bytesPerSecondMax: number | null): void {
    this.#pace.order({ bytesPerSecondMax, paused: false });
  }

  /** Writes the progress down, and learns whether somebody has paused, cancelled or throttled it. */
  async #note(): Promise<void> {
    const { leadership, clock } = this.#parts;
    const atMs = clock.monotonicMs();
    const seconds = Math.max((atMs - this.#noted.atMs) / SECOND_MS, 0.001);
    const { chunks, bytes, failed } = this.#done;
    const since = { chunks: chunks - this.#noted.chunks, bytes: bytes - this.#noted.bytes, failed: failed - this.#noted.failed };
    const latest = since.bytes / seconds;
    const before = this.#noted.bytesPerSecond;
    const bytesPerSecond = before === 0 ? latest : before + RATE_SMOOTHING * (latest - before);
    this.#noted = { chunks, bytes, failed, bytesPerSecond, atMs };
    const current = await leadership.fenced((tx) => recordProgress(tx, this.#rebalance.id, { ...since, bytesPerSecond }));
    if (current === undefined || current.state === "paused") this.#calledOff.abort();
    else this.#throttle(current.bytesPerSecondMax);
  }
}
