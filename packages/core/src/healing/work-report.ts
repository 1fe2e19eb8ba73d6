import type { WorkState } from "@holdfast/db";

/** A repair or a rebalance for whoever watches it. Bytes and chunks are what was known when it was last written down; nothing decides by them. */
export interface WorkReport {
  id: number;
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
  startedAt: Date;
  finishedAt: Date | null;
}

/** Of `repair` as of `rebalance`. */
export const WORK_COLUMNS = `id, state, why, blocked, chunks_total AS "chunksTotal", chunks_done AS "chunksDone", chunks_failed AS "chunksFailed",
  bytes_total AS "bytesTotal", bytes_done AS "bytesDone", bytes_per_second AS "bytesPerSecond",
  CASE WHEN state = 'running' AND bytes_per_second > 0
       THEN ceil(greatest(bytes_total - bytes_done, 0) / bytes_per_second) END AS "etaSeconds",
  started_at AS "startedAt", finished_at AS "finishedAt"`;

/** The open ones first, then those that ended last. */
export const WORK_ORDER = "finished_at IS NOT NULL, id DESC";
