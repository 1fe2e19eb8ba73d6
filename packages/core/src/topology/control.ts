/** What an operator may do to a rebalance that is under way. Each is fenced, and an event that names who did it. */
import type { RebalanceKind, WorkState } from "@holdfast/db";
import type pg from "pg";
import { recordEvent } from "../events/index.ts";
import type { Leadership } from "../leadership/index.ts";
import { setIntent } from "../membership/index.ts";
import { bytesInWords } from "../wording/index.ts";
import { TopologyError } from "./errors.ts";

export interface ControlOptions {
  leadership: Pick<Leadership, "fenced">;
  actorId?: string;
}

/** Copies under way are finished; no other begins. All of these reject with `rebalance.not_open`. */
export async function pauseRebalance(id: number, options: ControlOptions): Promise<void> {
  await control(id, options, "rebalance.paused", "was paused", async (tx) => setOpen(tx, id, "paused"));
}

export async function resumeRebalance(id: number, options: ControlOptions): Promise<void> {
  await control(id, options, "rebalance.resumed", "goes on", async (tx) => setOpen(tx, id, "waiting"));
}

/** What was moved stays where it is. A node that was being emptied is in service again. */
export async function cancelRebalance(id: number, options: ControlOptions): Promise<void> {
  await control(id, options, "rebalance.cancelled", "was cancelled; what was moved stays where it is", async (tx, { kind, nodeId }) => {
    if (kind === "remove") throw new TopologyError("topology.refused", "The node was removed already. Its copies have to be made again.");
    await setOpen(tx, id, "cancelled");
    if (kind === "drain") await setIntent(tx, nodeId!, "active", options.actorId === undefined ? {} : { actorId: options.actorId });
  });
}

/** Without a number, only the cluster's own limit holds. */
export async function throttleRebalance(id: number, bytesPerSecond: number | null, options: ControlOptions): Promise<void> {
  const words = bytesPerSecond === null ? "goes at full speed" : `moves at most ${bytesInWords(bytesPerSecond)} a second`;
  await control(id, options, "rebalance.throttled", words, async (tx) => {
    await tx.query("UPDATE rebalance SET bytes_per_second_max = $2, updated_at = now() WHERE id = $1", [id, bytesPerSecond]);
  });
}

interface Controlled {
  kind: RebalanceKind;
  nodeId: number | null;
  why: string;
}

async function control(
  id: number,
  { leadership, actorId }: ControlOptions,
  kind: string,
  words: string,
  act: (tx: pg.PoolClient, rebalance: Controlled) => Promise<void>,
): Promise<void> {
  await leadership.fenced(async (tx) => {
    const { rows } = await tx.query<Controlled>(
      `SELECT kind, node_id AS "nodeId", why FROM rebalance WHERE id = $1 AND finished_at IS NULL FOR UPDATE`,
      [id],
    );
    const rebalance = rows[0];
    if (rebalance === undefined) throw new TopologyError("rebalance.not_open", "There is no such rebalance, or it has ended.", { id });
    await act(tx, rebalance);
    await recordEvent(tx, {
      severity: "info",
      kind,
      message: `The rebalance "${rebalance.why}" ${words}.`,
      ...(rebalance.nodeId !== null && { nodeId: rebalance.nodeId }),
      ...(actorId !== undefined && { actorId }),
      data: { rebalanceId: id },
    });
  });
}

async function setOpen(tx: pg.PoolClient, id: number, state: Extract<WorkState, "paused" | "waiting" | "cancelled">): Promise<void> {
  await tx.query(
    `UPDATE rebalance SET state = $2::text::work_state, blocked = '', bytes_per_second = 0, updated_at = now(),
            finished_at = CASE WHEN $2 = 'cancelled' THEN now() END
      WHERE id = $1`,
    [id, state],
  );
}
