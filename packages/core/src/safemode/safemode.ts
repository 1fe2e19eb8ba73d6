/**
 * Safemode: from a controller's start until it has heard enough of the cluster, it removes, repairs and moves nothing.
 *
 * It begins with every controller and every new leader, ends once and stays ended. An empty cluster leaves it at once. One
 * whose nodes never come back stays in it, says so, and waits for them or for an operator.
 */
import type { NodeIntent } from "@holdfast/db";
import { inTransaction } from "@holdfast/db";
import type pg from "pg";
import { recordEvent } from "../events/index.ts";
import { type Clock, limits, MINUTE_MS, systemClock } from "../kernel/index.ts";
import { whyStillSafe } from "./plan.ts";

const HEARD_SHARE = 0.999;
/** Heartbeats in which no further node may appear. */
const STABLE_HEARTBEATS = 3;
/** After this it is no start any more, but something an operator should know of. */
const REPORT_AFTER_MS = 1 * MINUTE_MS;

export interface SafemodeStatus {
  isOn: boolean;
  /** Why it is on, as a sentence; empty when it is not. */
  why: string;
  since: Date;
}

/** Asked by whatever repairs, moves or removes. */
export interface SafemodeReader {
  isOn(): boolean;
  /** For people; empty while it is off. */
  why(): string;
}

export interface Safemode extends SafemodeReader {
  status(): SafemodeStatus;
  /** Looks whether it may end. */
  step(): Promise<void>;
  /** Begins anew: somebody has become the leader, and has heard nobody. */
  enter(): void;
  /** By an operator's decision, whatever speaks against it. */
  leave(actor: { userId: string }): Promise<void>;
}

export interface SafemodeOptions {
  pool: pg.Pool;
  /** Whether this controller heard the node since it leads. */
  hasHeard: (nodeId: number) => boolean;
  heartbeatIntervalMs?: number;
  clock?: Clock;
}

const JUST_STARTED = "The controller has just started and has not looked at the cluster yet.";

export function createSafemode({
  pool,
  hasHeard,
  heartbeatIntervalMs = limits.heartbeatIntervalMs,
  clock = systemClock,
}: SafemodeOptions): Safemode {
  const terms = { heardShare: HEARD_SHARE, stableMs: STABLE_HEARTBEATS * heartbeatIntervalMs };
  let why: string | undefined;
  let since: Date;
  let enteredAtMs: number;
  let heard: string;
  let heardSinceMs: number;
  let isReported: boolean;
  /** Grows with whatever makes the answer of a look that is under way one to another question. */
  let turn = 0;

  const enter = (): void => {
    turn++;
    why = JUST_STARTED;
    since = clock.now();
    enteredAtMs = clock.monotonicMs();
    heard = "";
    heardSinceMs = enteredAtMs;
    isReported = false;
  };
  enter();

  const noteHeard = (nodeIds: readonly number[]): void => {
    const now = nodeIds.join(",");
    if (now === heard) return;
    heard = now;
    heardSinceMs = clock.monotonicMs();
  };

  const report = async (sentence: string): Promise<void> => {
    if (isReported || clock.monotonicMs() - enteredAtMs < REPORT_AFTER_MS) return;
    await recordEvent(pool, { severity: "warning", kind: "safemode.on", message: sentence });
    isReported = true;
  };

  return {
    enter,
    isOn: () => why !== undefined,
    why: () => why ?? "",
    status: () => ({ isOn: why !== undefined, why: why ?? "", since }),
    async step() {
      if (why === undefined) return;
      const ours = turn;
      const nodes = (await readNodes(pool)).map((node) => ({ ...node, isHeard: hasHeard(node.id) }));
      const heardIds = nodes.filter(({ isHeard }) => isHeard).map(({ id }) => id);
      const counts = await countChunks(pool, heardIds);
      if (turn !== ours) return; // an operator ended it, or it began anew, while the rows were counted
      noteHeard(heardIds);
      why = whyStillSafe({ ...counts, nodes, stableMs: clock.monotonicMs() - heardSinceMs }, terms);
      if (why !== undefined) return await report(why);
      if (isReported)
        await recordEvent(pool, {
          severity: "info",
          kind: "safemode.off",
          message: "Enough of the cluster was heard: the controller repairs and cleans up again.",
        });
    },
    async leave({ userId }) {
      if (why === undefined) return;
      const message = `An operator ended safemode. What spoke against it: ${why}`;
      await recordEvent(pool, { severity: "warning", kind: "safemode.left", message, actorId: userId });
      turn++;
      why = undefined;
    },
  };
}

async function readNodes(pool: pg.Pool): Promise<{ id: number; name: string; intent: NodeIntent }[]> {
  const { rows } = await pool.query<{ id: number; name: string; intent: NodeIntent }>(
    "SELECT id, name, intent FROM node WHERE intent <> 'removed' ORDER BY id",
  );
  return rows;
}

/** Reads the whole table, and only as long as safemode lasts. */
async function countChunks(pool: pg.Pool, heardIds: readonly number[]): Promise<{ chunks: number; chunksHeard: number }> {
  const count = (tx: pg.PoolClient) =>
    tx.query<{ chunks: number; chunksHeard: number }>(
      `SELECT count(*) AS chunks, count(*) FILTER (WHERE replicas && $1::smallint[]) AS "chunksHeard" FROM chunk WHERE state = 'live'`,
      [heardIds],
    );
  return (await inTransaction(pool, count, { statementTimeoutMs: limits.databaseLongStatementMs })).rows[0]!;
}
