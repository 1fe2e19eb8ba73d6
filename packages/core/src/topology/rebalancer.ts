/**
 * Carries out the rebalances that operators agreed to, as long as this process leads.
 *
 * One at a time: what empties a node first, then what only evens out. Each step is one pass over the chunk rows. They alone
 * say what has still to be done, so a crash, a new leader, chunks that are deleted and uploads that go on need no special
 * care: whatever a pass did not see, the next one does. A rebalance is done when a pass finds nothing left.
 */
import type pg from "pg";
import { recordEvent } from "../events/index.ts";
import type { SafemodeReader } from "../safemode/index.ts";
import { type Clock, limits, SECOND_MS, systemClock } from "../kernel/index.ts";
import { LeadershipError } from "../leadership/index.ts";
import type { Membership } from "../membership/index.ts";
import { bytesInWords, chunksCounted } from "../wording/index.ts";
import type { MoveScope, TopologyView } from "./change.ts";
import { holdsLiveChunks } from "./chunk-rows.ts";
import { type MovingParts, type PassOutcome, runPass } from "./move-pass.ts";
import { type RebalanceReport, readOpenRebalances, setState } from "./rebalance-row.ts";
import { readSettings, type SettingDefaults } from "./view.ts";

export interface RebalancerOptions extends SettingDefaults, Omit<MovingParts, "clock" | "settleMs"> {
  membership: Membership;
  safemode?: SafemodeReader;
  /** How long a new chunk is left alone, because its last copies may be on their way. */
  settleMs?: number;
  clock?: Clock;
}

export interface Rebalancer {
  /** One pass over what is open. To be repeated about once a second, whoever leads; never in parallel. */
  step(signal: AbortSignal): Promise<void>;
}

/** How long a pass that got nowhere is not repeated, unless something changes that could help. */
const REST_MS = 15 * SECOND_MS;
const PAUSED = "Repair and rebalance are paused.";

export function createRebalancer(options: RebalancerOptions): Rebalancer {
  const { pool, leadership, membership, safemode, clock = systemClock, settleMs = limits.healingSettleMs } = options;
  const parts: MovingParts = { ...options, clock, settleMs };
  const rests = new Map<number, { key: string; untilMs: number }>();

  const isResting = (id: number, key: string): boolean => {
    const rest = rests.get(id);
    return rest !== undefined && rest.key === key && clock.monotonicMs() < rest.untilMs;
  };
  const set = (id: number, ...state: [state: "waiting" | "running" | "blocked", blocked?: string]): Promise<boolean> =>
    leadership.fenced((tx) => setState(tx, id, ...state));

  /** True when the next rebalance may have its turn. */
  const carryOut = async (rebalance: RebalanceReport, view: TopologyView, key: string, signal: AbortSignal): Promise<boolean> => {
    if (isResting(rebalance.id, key)) return true;
    if (rebalance.state === "waiting") await set(rebalance.id, "running");
    const outcome = await runPass(parts, rebalance, view, scopeOf(rebalance), signal);
    if (signal.aborted || outcome.calledOff) return false;
    if (await isDone(pool, rebalance, outcome)) {
      await leadership.fenced((tx) => finish(tx, rebalance, view));
      return true;
    }
    if (outcome.chunks > 0) return false;
    rests.set(rebalance.id, { key, untilMs: clock.monotonicMs() + REST_MS });
    if (outcome.blocked === "") rests.delete(rebalance.id); // only new chunks are left, and they settle in a moment
    else if (await set(rebalance.id, "blocked", outcome.blocked)) await leadership.fenced((tx) => recordBlocked(tx, rebalance, outcome));
    return outcome.blocked !== "";
  };

  const step = async (signal: AbortSignal): Promise<void> => {
    const open = (await readOpenRebalances(pool)).filter(({ state }) => state !== "paused");
    if (open.length === 0) return rests.clear();
    const { healingPaused, ...settings } = await readSettings(pool, options);
    const hold = safemode?.isOn() === true ? safemode.why() : healingPaused ? PAUSED : "";
    if (hold !== "") {
      for (const { id } of open) await set(id, "waiting", hold);
      return;
    }
    const view: TopologyView = { nodes: membership.nodes(), settings };
    const key = keyOf(view);
    for (const [index, rebalance] of open.entries()) {
      for (const { id, state } of open.slice(index + 1))
        if (state !== "blocked") await set(id, "waiting", `Its turn comes after: ${rebalance.why}`);
      if (!(await carryOut(rebalance, view, key, signal))) return;
    }
  };

  return {
    async step(signal) {
      if (leadership.epoch() === undefined) return;
      await step(signal).catch((error: unknown) => {
        if (!(error instanceof LeadershipError)) throw error; // another controller goes on with it
      });
    },
  };
}

function scopeOf({ kind, nodeId }: RebalanceReport): MoveScope {
  return kind === "spread" ? { kind } : { kind, nodeId: nodeId! };
}

/** The same as long as nothing changed that could help whoever is blocked. */
function keyOf({ nodes, settings }: TopologyView): string {
  return JSON.stringify([
    settings,
    nodes.map(({ id, zone, health, intent, writable, weight }) => [id, zone, health, intent, writable, weight]),
  ]);
}

async function isDone(pool: pg.Pool, { kind, nodeId }: RebalanceReport, outcome: PassOutcome): Promise<boolean> {
  if (kind === "spread") return outcome.blocked === "" && outcome.left === 0;
  return !(await holdsLiveChunks(pool, nodeId!));
}

async function finish(tx: pg.PoolClient, rebalance: RebalanceReport, { nodes }: TopologyView): Promise<void> {
  if (!(await setState(tx, rebalance.id, "done"))) return;
  const { rows } = await tx.query<{ chunks: number; bytes: number }>(
    "SELECT chunks_done AS chunks, bytes_done AS bytes FROM rebalance WHERE id = $1",
    [rebalance.id],
  );
  const { chunks, bytes } = rows[0]!;
  const name = nodes.find(({ id }) => id === rebalance.nodeId)?.name;
  const result = { spread: "The copies are where they belong.", drain: `${name} is empty.`, remove: `Nothing counts on ${name} any more.` };
  await recordEvent(tx, {
    severity: "info",
    kind: "rebalance.done",
    message: `${result[rebalance.kind]} ${chunksCounted(chunks)} (${bytesInWords(bytes)}) moved.`,
    ...(rebalance.nodeId !== null && { nodeId: rebalance.nodeId }),
    data: { rebalanceId: rebalance.id, chunks, bytes },
  });
}

async function recordBlocked(tx: pg.PoolClient, { id, why, nodeId }: RebalanceReport, { blocked }: PassOutcome): Promise<void> {
  await recordEvent(tx, {
    severity: "warning",
    kind: "rebalance.blocked",
    message: `${why} That cannot go on: ${blocked}`,
    ...(nodeId !== null && { nodeId }),
    data: { rebalanceId: id },
  });
}
