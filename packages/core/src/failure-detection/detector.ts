import type pg from "pg";
import { recordEvent } from "../events/index.ts";
import { type Clock, systemClock } from "../kernel/index.ts";
import { setIntent, type Transact } from "../membership/index.ts";
import { HealthWatch, type NodeOnRecord } from "./health-watch.ts";
import type { DetectionLimits, HealthTransition } from "./plan.ts";

export interface FailureDetector {
  /** Says that a node was heard, and how long a durable write takes it (0: not known); its health follows with the next step. */
  heard(nodeId: number, writeLatencyMs?: number): void;
  /** Whether it was heard at all since this detector began. */
  hasHeard(nodeId: number): boolean;
  /** Whether it has been silent for as long as a node that is down, even if too few would remain to call it so. */
  isGone(nodeId: number): boolean;
  /** Compares what was heard with what is on record, and records the difference. Returns what it changed. */
  step(): Promise<HealthTransition[]>;
}

/** `transact` runs whatever the detector changes. */
export function createFailureDetector(
  pool: pg.Pool,
  transact: Transact,
  limits: DetectionLimits,
  clock: Clock = systemClock,
): FailureDetector {
  const watch = new HealthWatch(limits, clock);
  return {
    heard: (nodeId, writeLatencyMs = 0) => watch.heard(nodeId, writeLatencyMs),
    hasHeard: (nodeId) => watch.hasHeard(nodeId),
    isGone: (nodeId) => watch.isGone(nodeId),
    async step() {
      await endMaintenance(pool, transact);
      const nodes = await readNodes(pool);
      const applied: HealthTransition[] = [];
      for (const transition of watch.plan(nodes)) {
        if (!(await transact((tx) => applyTransition(tx, transition)))) continue;
        watch.applied(transition);
        applied.push(transition);
      }
      return applied;
    },
  };
}

async function readNodes(pool: pg.Pool): Promise<NodeOnRecord[]> {
  const { rows } = await pool.query<NodeOnRecord>(
    `SELECT id, name, health, health_reason AS "healthReason", intent = 'maintenance' AS "inMaintenance"
       FROM node WHERE intent <> 'removed' ORDER BY id`,
  );
  return rows;
}

/** False when the node's health is not what the plan was made from; the next step plans again. */
async function applyTransition(tx: pg.PoolClient, { nodeId, name, from, to, why, severity }: HealthTransition): Promise<boolean> {
  const { rowCount } = await tx.query(
    `UPDATE node SET health = $3, health_reason = $4, health_changed_at = CASE WHEN health = $3 THEN health_changed_at ELSE now() END
      WHERE id = $1 AND health = $2 AND (health, health_reason) IS DISTINCT FROM ($3, $4)`,
    [nodeId, from, to, why],
  );
  if (rowCount === 0) return false;
  await recordEvent(tx, { severity, kind: `node.${to}`, message: `${name} is ${to}: ${why}.`, nodeId, data: { from } });
  return true;
}

const OVER = "intent = 'maintenance' AND maintenance_until <= clock_timestamp()";

/** Puts those whose time is up back into service; from then on their silence counts, and it counts from its beginning. */
async function endMaintenance(pool: pg.Pool, transact: Transact): Promise<void> {
  const { rows } = await pool.query<{ id: number }>(`SELECT id FROM node WHERE ${OVER}`);
  for (const { id } of rows) {
    await transact(async (tx) => {
      const { rowCount } = await tx.query(`SELECT FROM node WHERE id = $1 AND ${OVER} FOR UPDATE`, [id]);
      if (rowCount === 1) await setIntent(tx, id, "active", { why: "The time set for its maintenance is over." });
    });
  }
}
