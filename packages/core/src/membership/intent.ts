import type { NodeIntent } from "@holdfast/db";
import type pg from "pg";
import { recordEvent } from "../events/index.ts";
import { MembershipError } from "./errors.ts";

export interface IntentChange {
  /** When maintenance ends by itself; without it, only when somebody says so. Of other intents it means nothing. */
  until?: Date | undefined;
  /** Who wants it; absent when nobody asked but the time was over. */
  actorId?: string | undefined;
  /** A sentence to add to what happened. */
  why?: string | undefined;
}

const MESSAGES: Record<NodeIntent, (name: string, until: Date | null) => string> = {
  active: (name) => `${name} is in service.`,
  draining: (name) => `${name} is being emptied: it takes no new chunks, and what it holds moves to other nodes.`,
  maintenance: (name, until) =>
    `${name} is in maintenance${until === null ? "" : ` until ${until.toISOString().slice(0, 16).replace("T", " ")} UTC`}. Its silence raises no alarm, and nothing it holds is copied elsewhere.`,
  removed: (name) => `${name} was removed from the cluster.`,
};

/**
 * Records what an operator wants of a node. False when that is what is on record already. Rejects with `node.unknown`.
 *
 * Says nothing about whether it is safe: whoever removes or drains a node has looked at that before, in the same transaction.
 */
export async function setIntent(
  tx: Pick<pg.ClientBase, "query">,
  nodeId: number,
  intent: NodeIntent,
  { until, actorId, why }: IntentChange = {},
): Promise<boolean> {
  const maintenanceUntil = intent === "maintenance" ? (until ?? null) : null;
  const { rows } = await tx.query<{ name: string; changed: boolean }>(
    `UPDATE node SET intent = $2, maintenance_until = $3
       FROM (SELECT id, intent, maintenance_until FROM node WHERE id = $1 FOR UPDATE) before
      WHERE node.id = before.id
      RETURNING node.name, (before.intent, before.maintenance_until) IS DISTINCT FROM (node.intent, node.maintenance_until) AS changed`,
    [nodeId, intent, maintenanceUntil],
  );
  const node = rows[0];
  if (node === undefined) throw new MembershipError("node.unknown", `There is no node with the number ${nodeId}.`, { nodeId });
  if (!node.changed) return false;
  const message = [MESSAGES[intent](node.name, maintenanceUntil), why].filter(Boolean).join(" ");
  await recordEvent(tx, { severity: "info", kind: `node.${intent}`, message, nodeId, ...(actorId !== undefined && { actorId }) });
  return true;
}
