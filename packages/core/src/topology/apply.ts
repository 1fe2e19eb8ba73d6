/**
 * Changes the cluster's shape, after a look at what that would do. All of it in one fenced transaction: what is wanted of the
 * node or the cluster, the event that names who wanted it, and the rebalance that carries it out. What could have changed
 * since the preview and would lose copies is asked again in there.
 */
import type { RebalanceKind } from "@holdfast/db";
import type pg from "pg";
import { recordEvent } from "../events/index.ts";
import { unreachable } from "../kernel/index.ts";
import type { Leadership } from "../leadership/index.ts";
import { ensureClusterId, setIntent } from "../membership/index.ts";
import { bytesInWords, chunksCounted } from "../wording/index.ts";
import { faultOf, maintenanceEnd, nodeOf, scopeOf, type TopologyChange, type TopologyView } from "./change.ts";
import { TopologyError } from "./errors.ts";
import { type ChangePreview, previewChange, type PreviewOptions, refusalOfRemoval } from "./preview.ts";
import { readView } from "./view.ts";

export interface ApplyOptions extends PreviewOptions {
  pool: pg.Pool;
  leadership: Pick<Leadership, "fenced">;
  /** The user who wants it. */
  actorId?: string;
}

export interface AppliedChange {
  /** What was agreed to: the preview of the moment it was applied. */
  preview: ChangePreview;
  /** Absent when nothing has to move. */
  rebalanceId?: number;
}

/** Rejects with `topology.refused`, and nothing has changed then. */
export async function applyChange(change: TopologyChange, options: ApplyOptions): Promise<AppliedChange> {
  const preview = await previewChange(options.pool, change, options);
  if (!preview.allowed) throw refusal(preview.refusal!);
  const rebalanceId = await options.leadership.fenced(async (tx) => {
    await ensureClusterId(tx);
    await tx.query("SELECT FROM cluster FOR UPDATE"); // one change at a time
    const view = await readView(tx, options);
    await refuseAgain(tx, change, view);
    await record(tx, change, view, options);
    return await openRebalance(tx, change, view, preview, options.actorId);
  });
  return { preview, ...(rebalanceId !== undefined && { rebalanceId }) };
}

function refusal(message: string): TopologyError {
  return new TopologyError("topology.refused", message);
}

async function refuseAgain(tx: pg.PoolClient, change: TopologyChange, view: TopologyView): Promise<void> {
  const reason = faultOf(change, view) ?? (change.kind === "remove" ? await refusalOfRemoval(tx, change.nodeId, view) : undefined);
  if (reason !== undefined) throw refusal(reason);
}

async function record(tx: pg.PoolClient, change: TopologyChange, view: TopologyView, { actorId, now }: ApplyOptions): Promise<void> {
  const by = actorId === undefined ? {} : { actorId };
  const event = (kind: string, message: string, nodeId?: number): Promise<void> =>
    recordEvent(tx, { severity: "info", kind, message, ...by, ...(nodeId !== undefined && { nodeId }) });
  const name = nodeOf(change, view)?.name;
  switch (change.kind) {
    case "drain":
      await setIntent(tx, change.nodeId, "draining", by);
      return;
    case "remove":
      await setIntent(tx, change.nodeId, "removed", by);
      await endOpen(tx, "drain", change.nodeId);
      return;
    case "activate":
      await setIntent(tx, change.nodeId, "active", by);
      await endOpen(tx, "drain", change.nodeId);
      return;
    case "maintenance":
      await setIntent(tx, change.nodeId, "maintenance", { ...by, until: maintenanceEnd(change.value, now) ?? undefined });
      await endOpen(tx, "drain", change.nodeId);
      return;
    case "weight":
      await tx.query("UPDATE node SET weight = $2 WHERE id = $1", [change.nodeId, change.value]);
      await event("node.weighted", `${name} now counts ${change.value} times its capacity when copies are placed.`, change.nodeId);
      return;
    case "zone":
      await tx.query("UPDATE node SET zone = $2 WHERE id = $1", [change.nodeId, change.value]);
      await event("node.zoned", `${name} is in zone ${change.value} now.`, change.nodeId);
      return;
    case "copies":
      await tx.query("UPDATE cluster SET replicas = $1", [change.value]);
      await event("cluster.copies", `Each chunk shall have ${change.value} copies instead of ${view.settings.replicas}.`);
      return;
    case "policy":
      await tx.query("UPDATE cluster SET placement_policy = $1", [change.value]);
      await event("cluster.policy", `Copies are placed by ${change.value} instead of ${view.settings.policy}.`);
      return;
    case "spread":
      return;
    default:
      unreachable(change);
  }
}

async function openRebalance(
  tx: pg.PoolClient,
  change: TopologyChange,
  view: TopologyView,
  preview: ChangePreview,
  actorId: string | undefined,
): Promise<number | undefined> {
  const kind = scopeOf(change, view)?.kind;
  if (kind === undefined || kind === "complete") return undefined;
  const nothingToDo = preview.chunksToMove === 0 && preview.blockedBy === undefined && !preview.estimated;
  if (nothingToDo && kind !== "drain") return undefined; // what is uploaded to a node just before it drains has yet to leave it
  const why = whyOf(change, view);
  const nodeId = kind === "spread" ? null : nodeOf(change, view)!.id;
  await endOpen(tx, kind, nodeId);
  const { rows } = await tx.query<{ id: number }>(
    `INSERT INTO rebalance (kind, node_id, state, why, blocked, plan, chunks_total, bytes_total, actor_id)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id`,
    [
      kind,
      nodeId,
      preview.blockedBy === undefined ? "waiting" : "blocked",
      why,
      preview.blockedBy ?? "",
      JSON.stringify({ change, preview }),
      preview.chunksToMove,
      preview.bytesToMove,
      actorId ?? null,
    ],
  );
  const size = nothingToDo ? "" : ` ${chunksCounted(preview.chunksToMove)} (${bytesInWords(preview.bytesToMove)}) to move.`;
  await recordEvent(tx, {
    severity: "info",
    kind: "rebalance.started",
    message: `${why}${size}`,
    ...(nodeId !== null && { nodeId }),
    ...(actorId !== undefined && { actorId }),
    data: { rebalanceId: rows[0]!.id, bytes: preview.bytesToMove },
  });
  return rows[0]!.id;
}

/** A new one of the same kind takes its place, or what it was for is over. */
async function endOpen(tx: pg.PoolClient, kind: RebalanceKind, nodeId: number | null): Promise<void> {
  await tx.query(
    `UPDATE rebalance SET state = 'cancelled', blocked = '', finished_at = now(), updated_at = now()
      WHERE finished_at IS NULL AND kind = $1 AND node_id IS NOT DISTINCT FROM $2`,
    [kind, nodeId],
  );
}

function whyOf(change: TopologyChange, view: TopologyView): string {
  const name = nodeOf(change, view)?.name;
  switch (change.kind) {
    case "drain":
      return `${name} is being emptied.`;
    case "remove":
      return `${name} was removed.`;
    case "weight":
      return `The weight of ${name} is ${change.value} now.`;
    case "zone":
      return `${name} is in zone ${change.value} now.`;
    case "copies":
      return `Each chunk shall have ${change.value} copies.`;
    case "policy":
      return `Copies are placed by ${change.value} now.`;
    case "spread":
      return "Copies move to where they belong.";
    case "maintenance":
    case "activate":
      return "";
    default:
      return unreachable(change);
  }
}
