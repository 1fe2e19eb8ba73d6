import { type EventSeverity, inTransaction, type NodeHealth } from "@holdfast/db";
import type pg from "pg";
import { recordEvent } from "../events/index.ts";
import { type Clock, systemClock } from "../kernel/index.ts";
import { type DetectionLimits, type HealthTransition, planHealth } from "./plan.ts";
import { createHeartbeatWatch } from "./watched-time.ts";

export interface FailureDetector {
  /** Says that a node was heard; its health follows with the next step. */
  heard(nodeId: number): void;
  /** Whether it was heard at all since this detector began. */
  hasHeard(nodeId: number): boolean;
  /** Compares what was heard with what is on record, and records the difference. Returns what it changed. */
  step(): Promise<HealthTransition[]>;
}

const SEVERITY: Record<NodeHealth, EventSeverity> = { up: "info", slow: "warning", suspect: "warning", down: "error" };

export function createFailureDetector(pool: pg.Pool, limits: DetectionLimits, clock: Clock = systemClock): FailureDetector {
  const watch = createHeartbeatWatch(clock, limits.heartbeatIntervalMs);
  return {
    heard: (nodeId) => watch.heard(nodeId),
    hasHeard: (nodeId) => watch.silence(nodeId).everHeard,
    async step() {
      const nodes = await readHealth(pool);
      watch.look(); // only now: while the database was away nobody could be heard
      const plan = planHealth(
        nodes.map((node) => ({ ...node, silence: watch.silence(node.id) })),
        limits,
      );
      const applied: HealthTransition[] = [];
      for (const transition of plan) if (await applyTransition(pool, transition)) applied.push(transition);
      return applied;
    },
  };
}

async function readHealth(pool: pg.Pool): Promise<{ id: number; name: string; health: NodeHealth }[]> {
  const { rows } = await pool.query<{ id: number; name: string; health: NodeHealth }>(
    "SELECT id, name, health FROM node WHERE intent <> 'removed' ORDER BY id",
  );
  return rows;
}

/** False when the node's health is not what the plan was made from; the next step plans again. */
function applyTransition(pool: pg.Pool, { nodeId, name, from, to, why }: HealthTransition): Promise<boolean> {
  return inTransaction(pool, async (tx) => {
    const { rowCount } = await tx.query(
      "UPDATE node SET health = $3, health_reason = $4, health_changed_at = now() WHERE id = $1 AND health = $2",
      [nodeId, from, to, why],
    );
    if (rowCount === 0) return false;
    await recordEvent(tx, {
      severity: SEVERITY[to],
      kind: `node.${to}`,
      message: `${name} is ${to}: ${why}.`,
      nodeId,
      data: { from },
    });
    return true;
  });
}
