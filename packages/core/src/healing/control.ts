/** What an operator may change about healing. Each change is an event with the operator's name on it; the leader sees it within a second. */
import type pg from "pg";
import { recordEvent } from "../events/index.ts";
import { bytesInWords } from "../wording/index.ts";

/** Whoever asks, for the events. */
export interface Operator {
  id: string;
  name: string;
}

/** Repair and rebalance stand still, but for chunks with one copy left. May be repeated. */
export async function pauseHealing(tx: pg.PoolClient, operator: Operator): Promise<void> {
  const { rowCount } = await tx.query("UPDATE cluster SET healing_paused = true WHERE NOT healing_paused");
  if (rowCount === 0) return;
  const message = `${operator.name} paused repair and rebalance. Chunks with one copy left are repaired all the same.`;
  await recordEvent(tx, { severity: "warning", kind: "healing.paused", message, actorId: operator.id });
}

/** May be repeated. */
export async function resumeHealing(tx: pg.PoolClient, operator: Operator): Promise<void> {
  const { rowCount } = await tx.query("UPDATE cluster SET healing_paused = false WHERE healing_paused");
  if (rowCount === 0) return;
  await recordEvent(tx, {
    severity: "info",
    kind: "healing.resumed",
    message: `${operator.name} let repair and rebalance go on.`,
    actorId: operator.id,
  });
}

/** `bytesPerSecond` is at least 1; null leaves healing to the latencies of users' requests. */
export async function setHealingRate(tx: pg.PoolClient, operator: Operator, bytesPerSecond: number | null): Promise<void> {
  const { rowCount } = await tx.query("UPDATE cluster SET healing_bytes_per_sec = $1 WHERE healing_bytes_per_sec IS DISTINCT FROM $1", [
    bytesPerSecond,
  ]);
  if (rowCount === 0) return;
  const message =
    bytesPerSecond === null
      ? `${operator.name} lifted the limit on repair and rebalance.`
      : `${operator.name} limited repair and rebalance to ${bytesInWords(bytesPerSecond)} a second.`;
  await recordEvent(tx, { severity: "info", kind: "healing.rate", message, actorId: operator.id, data: { bytesPerSecond } });
}
