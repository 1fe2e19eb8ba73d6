/**
 * One pass over the chunks that lack something: fewest copies first, each looked at again when its turn comes, a few at a
 * time, because minutes may lie between the list and the turn.
 *
 * Memory is bounded by a page of candidates and the copies under way. When the pass is called off, no further chunk is taken;
 * copies that have begun are finished.
 */
import type pg from "pg";
import type { ChunkId } from "../chunking/index.ts";
import { limits } from "../kernel/index.ts";
import { LeadershipError } from "../leadership/index.ts";
import type { CopyEngine } from "./copy-engine.ts";
import { type ChunkFacts, type ChunkPlan, planChunk } from "./plan.ts";
import { dropCopies, type SurplusOptions } from "./surplus.ts";
import { candidates, readChunks, type Stage } from "./survey.ts";
import type { HealingView } from "./view.ts";

export interface RoundParts extends SurplusOptions {
  pool: pg.Pool;
  engine: CopyEngine;
  settleMs: number;
  /** Nodes that refused a copy lately; more are added. */
  refusals: Refusals;
}

export interface RoundOrders {
  view: HealingView;
  stages: readonly Stage[];
  /** Chunks with more than one copy left are left alone. */
  lastCopiesOnly: boolean;
  tally: RoundTally;
  /** Calls the pass off. */
  signal: AbortSignal;
}

/** What has come of a pass so far. */
export interface RoundTally {
  /** Chunks that got all that they lacked, and bytes copied. */
  chunks: number;
  bytes: number;
  failed: number;
  dropped: number;
  /** Chunks nothing can be done for, and why of the first of them. */
  blockedChunks: number;
  blocked: string;
}

export const newTally = (): RoundTally => ({ chunks: 0, bytes: 0, failed: 0, dropped: 0, blockedChunks: 0, blocked: "" });

/** Targets that refused a copy, each for a while. */
export interface Refusals {
  add(nodeId: number): void;
  current(): ReadonlySet<number>;
}

/** Chunks that are looked at again together. */
const GROUP_CHUNKS = 8;
/** Other targets and other sources are tried so many times before the chunk waits for the next pass. */
const ATTEMPTS_MAX = 4;

/** Rejects with what keeps every chunk from being healed: the database, most likely. */
export async function runRound(parts: RoundParts, orders: RoundOrders): Promise<void> {
  const { view, signal } = orders;
  const inFlight = new Map<ChunkId, Promise<void>>();
  const windowMax = limits.healingChunksPerNode * Math.max(2, view.nodes.length);
  const broken = new AbortController();
  const stop = AbortSignal.any([signal, broken.signal]);

  const take = (chunk: ChunkFacts): void => {
    const healing = healChunk(parts, { ...orders, signal: stop }, chunk)
      .catch((error: unknown) => broken.abort(error))
      .finally(() => inFlight.delete(chunk.id));
    inFlight.set(chunk.id, healing);
  };
  try {
    for await (const group of groupsOfCandidates(parts, orders)) {
      while (inFlight.size + GROUP_CHUNKS > windowMax && !stop.aborted) await Promise.race(inFlight.values());
      if (stop.aborted) break;
      const worthy = group.filter((candidate) => !inFlight.has(candidate.id) && isWorthTaking(candidate, orders));
      for (const chunk of await readChunks(parts.pool, worthy)) take(chunk);
    }
  } finally {
    await Promise.all(inFlight.values());
  }
  if (broken.signal.aborted && !(broken.signal.reason instanceof LeadershipError)) throw broken.signal.reason as Error;
}

async function* pagesOfCandidates({ pool, settleMs }: RoundParts, { view, stages }: RoundOrders): AsyncGenerator<readonly ChunkFacts[]> {
  for (const stage of stages) {
    let page: readonly ChunkFacts[] = [];
    do {
      page = await candidates(pool, view, stage, { after: page.at(-1)?.id, settleMs });
      yield page;
    } while (page.length === limits.healingPageChunks);
  }
}

/** Of one page: whoever has fewest copies must not wait until others are found. */
async function* groupsOfCandidates(parts: RoundParts, orders: RoundOrders): AsyncGenerator<readonly ChunkFacts[]> {
  for await (const page of pagesOfCandidates(parts, orders)) {
    for (let from = 0; from < page.length; from += GROUP_CHUNKS) yield page.slice(from, from + GROUP_CHUNKS);
  }
}

/** Counts what is blocked without another look at its row: with three nodes and one away, that is every chunk. */
function isWorthTaking(chunk: ChunkFacts, { view, lastCopiesOnly, tally }: RoundOrders): boolean {
  const plan = planChunk(chunk, view.nodes, view.terms);
  if (lastCopiesOnly && plan.risk !== "last") return false;
  if (plan.copies.length === 0) noteBlocked(plan, tally);
  return plan.copies.length + plan.drops.length > 0;
}

function noteBlocked({ blocked }: ChunkPlan, tally: RoundTally): void {
  if (blocked === "") return;
  tally.blockedChunks++;
  tally.blocked ||= blocked;
}

async function healChunk(parts: RoundParts, orders: RoundOrders, candidate: ChunkFacts): Promise<void> {
  const { view, signal, lastCopiesOnly, tally } = orders;
  let chunk: ChunkFacts | undefined = candidate;
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    if (chunk === undefined || signal.aborted) return;
    const plan: ChunkPlan = planChunk(chunk, view.nodes, { ...view.terms, avoided: parts.refusals.current() });
    if (lastCopiesOnly && plan.risk !== "last") return;
    if (plan.copies.length === 0) {
      noteBlocked(plan, tally);
      if (plan.drops.length > 0 && (await dropCopies(parts, chunk.id, plan.drops))) tally.dropped += plan.drops.length;
      return;
    }
    const outcome = await makeCopies(parts, plan, orders);
    if (outcome === "over") return;
    const [now] = await readChunks(parts.pool, [chunk]);
    if (outcome === "no-source" && String(now?.replicas) === String(chunk.replicas)) break; // the same would answer the same
    chunk = now;
  }
  tally.failed++;
}

/** Unless it is over, another attempt may do better: after "refused" with another target, after "no-source" with other sources. */
async function makeCopies(
  { engine, refusals, logger }: RoundParts,
  plan: ChunkPlan,
  { signal, tally }: RoundOrders,
): Promise<"over" | "refused" | "no-source"> {
  const outcomes = await Promise.all(plan.copies.map(async (task) => ({ task, outcome: await engine.run(task, signal) })));
  for (const { task, outcome } of outcomes) {
    if (outcome.state === "failed") throw outcome.error;
    if (outcome.state === "copied") tally.bytes += outcome.bytes;
    if (outcome.state === "refused") refusals.add(task.to.id);
    if (outcome.state === "refused" || outcome.state === "no-source") {
      logger.warn({ chunk: task.chunkId, target: task.to.name, ...outcome }, "a copy could not be made");
    }
  }
  if (outcomes.every(({ outcome }) => outcome.state === "copied")) {
    noteBlocked(plan, tally);
    if (plan.blockedCopies === 0) tally.chunks++;
  }
  const states = new Set(outcomes.map(({ outcome }) => outcome.state));
  return states.has("refused") ? "refused" : states.has("no-source") ? "no-source" : "over";
}
