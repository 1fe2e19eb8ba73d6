import type { RebalanceKind } from "@holdfast/db";
import type pg from "pg";
import { WORK_COLUMNS, WORK_ORDER, type WorkReport } from "../healing/index.ts";

type Db = Pick<pg.ClientBase, "query">;

export interface RebalanceReport extends WorkReport {
  kind: RebalanceKind;
  nodeId: number | null;
  /** Its own throttle; null for the cluster's. */
  bytesPerSecondMax: number | null;
}

export async function listRebalances(db: Db, limit: number): Promise<RebalanceReport[]> {
  const { rows } = await db.query<RebalanceReport>(`SELECT ${COLUMNS} FROM rebalance ORDER BY ${WORK_ORDER} LIMIT $1`, [limit]);
  return rows;
}

/** In the order in which they are carried out: what empties a node comes before what only evens out. */
export async function readOpenRebalances(db: Db): Promise<RebalanceReport[]> {
  const { rows } = await db.query<RebalanceReport>(
    `SELECT ${COLUMNS} FROM rebalance WHERE finished_at IS NULL
      ORDER BY CASE kind WHEN 'drain' THEN 0 WHEN 'remove' THEN 1 ELSE 2 END, id`,
  );
  return rows;
}

const COLUMNS = `${WORK_COLUMNS}, kind, node_id AS "nodeId", bytes_per_second_max AS "bytesPerSecondMax"`;

export interface Progress {
  chunks: number;
  bytes: number;
  failed: number;
  bytesPerSecond: number;
}

/** Adds what was done since the last time. Undefined when it is not open any more: somebody cancelled it. */
export async function recordProgress(
  tx: Db,
  id: number,
  { chunks, bytes, failed, bytesPerSecond }: Progress,
): Promise<Pick<RebalanceReport, "state" | "bytesPerSecondMax"> | undefined> {
  const { rows } = await tx.query<Pick<RebalanceReport, "state" | "bytesPerSecondMax">>(
    `UPDATE rebalance
        SET chunks_done = chunks_done + $2, chunks_total = greatest(chunks_total, chunks_done + $2),
            bytes_done = bytes_done + $3, bytes_total = greatest(bytes_total, bytes_done + $3),
            chunks_failed = chunks_failed + $4, bytes_per_second = $5, updated_at = now()
      WHERE id = $1 AND finished_at IS NULL RETURNING state, bytes_per_second_max AS "bytesPerSecondMax"`,
    [id, chunks, bytes, failed, bytesPerSecond],
  );
  return rows[0];
}

/** True when that was news. Leaves those alone that are paused or have ended. */
export async function setState(tx: Db, id: number, state: "waiting" | "running" | "blocked" | "done", blocked = ""): Promise<boolean> {
  const { rowCount } = await tx.query(
    `UPDATE rebalance SET state = $2::text::work_state, blocked = $3, updated_at = now(), finished_at = CASE WHEN $2 = 'done' THEN now() END,
            bytes_per_second = CASE WHEN $2 IN ('waiting', 'blocked') THEN 0 ELSE bytes_per_second END
      WHERE id = $1 AND finished_at IS NULL AND state <> 'paused' AND (state::text, blocked) IS DISTINCT FROM ($2, $3)`,
    [id, state, blocked],
  );
  return rowCount === 1;
}
