import type { RebalanceKind, WorkState } from "@holdfast/db";
import type pg from "pg";

type Db = Pick<pg.ClientBase, "query">;

/** A rebalance for whoever watches it. Bytes and chunks are what was known when it was last written down. */
export interface RebalanceReport {
  id: number;
  kind: RebalanceKind;
  nodeId: number | null;
  state: WorkState;
  why: string;
  /** What it waits for, and what would help; empty when nothing. */
  blocked: string;
  chunksTotal: number;
  chunksDone: number;
  chunksFailed: number;
  bytesTotal: number;
  bytesDone: number;
  bytesPerSecond: number;
  /** Null while nothing moves. */
  etaSeconds: number | null;
  bytesPerSecondMax: number | null;
  startedAt: Date;
  finishedAt: Date | null;
}

/** Open ones first, then the latest that ended. */
export async function listRebalances(db: Db, limit: number): Promise<RebalanceReport[]> {
  const { rows } = await db.query<RebalanceReport>(
    `SELECT ${COLUMNS},
            CASE WHEN state = 'running' AND bytes_per_second > 0
                 THEN ceil(greatest(bytes_total - bytes_done, 0) / bytes_per_second) END AS "etaSeconds"
       FROM rebalance ORDER BY finished_at IS NOT NULL, id DESC LIMIT $1`,
    [limit],
  );
  return rows;
}

export type OpenRebalance = Omit<RebalanceReport, "etaSeconds">;

/** In the order in which they are carried out: what empties a node comes before what only evens out. */
export async function readOpenRebalances(db: Db): Promise<OpenRebalance[]> {
  const { rows } = await db.query<OpenRebalance>(
    `SELECT ${COLUMNS} FROM rebalance WHERE finished_at IS NULL
      ORDER BY CASE kind WHEN 'drain' THEN 0 WHEN 'remove' THEN 1 ELSE 2 END, id`,
  );
  return rows;
}

const COLUMNS = `id, kind, node_id AS "nodeId", state, why, blocked, chunks_total AS "chunksTotal", chunks_done AS "chunksDone",
  chunks_failed AS "chunksFailed", bytes_total AS "bytesTotal", bytes_done AS "bytesDone", bytes_per_second AS "bytesPerSecond",
  bytes_per_second_max AS "bytesPerSecondMax", started_at AS "startedAt", finished_at AS "finishedAt"`;

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
): Promise<Pick<OpenRebalance, "state" | "bytesPerSecondMax"> | undefined> {
  const { rows } = await tx.query<Pick<OpenRebalance, "state" | "bytesPerSecondMax">>(
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
