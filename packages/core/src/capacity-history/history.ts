import type pg from "pg";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../kernel/index.ts";

/** Spans a chart can show, each with the width of one point. A point is wider than the sampling, so that a gap means silence. */
export const HISTORY_SPANS = {
  hour: { spanMs: HOUR_MS, pointMs: 2 * MINUTE_MS },
  day: { spanMs: DAY_MS, pointMs: 20 * MINUTE_MS },
  week: { spanMs: 7 * DAY_MS, pointMs: 2 * HOUR_MS },
  quarter: { spanMs: 90 * DAY_MS, pointMs: DAY_MS },
} as const;

export type HistorySpan = keyof typeof HISTORY_SPANS;

/** Sums over the nodes that reported in that time; null where none did. */
export interface HistoryPoint {
  at: Date;
  capacityBytes: number | null;
  freeBytes: number | null;
  usedBytes: number | null;
}

/** Oldest first, without holes in time. Of one node, or of the whole cluster, where a disk that several nodes share counts once. */
export async function readCapacityHistory(pool: pg.Pool, span: HistorySpan, nodeId: number | null = null): Promise<HistoryPoint[]> {
  const { spanMs, pointMs } = HISTORY_SPANS[span];
  const { rows } = await pool.query<HistoryPoint>(
    `WITH point AS (
       SELECT generate_series(date_bin($1 * interval '1 ms', now() - $2 * interval '1 ms', 'epoch'), now(), $1 * interval '1 ms') AS at
     ), node_point AS (
       SELECT node_id, date_bin($1 * interval '1 ms', at, 'epoch') AS at,
              avg(capacity_bytes) AS capacity, avg(free_bytes) AS free, avg(used_bytes) AS used
         FROM node_sample
        WHERE at >= date_bin($1 * interval '1 ms', now() - $2 * interval '1 ms', 'epoch') AND ($3::smallint IS NULL OR node_id = $3)
        GROUP BY node_id, 2
     ), disk_point AS (
       SELECT node_point.at, max(capacity) AS capacity, min(free) AS free, sum(used) AS used
         FROM node_point JOIN node ON node.id = node_id
        GROUP BY node_point.at, coalesce(nullif(device, ''), 'node ' || node.id))
     SELECT at, sum(capacity)::bigint AS "capacityBytes", sum(free)::bigint AS "freeBytes", sum(used)::bigint AS "usedBytes"
       FROM point LEFT JOIN disk_point USING (at) GROUP BY at ORDER BY at`,
    [pointMs, spanMs, nodeId],
  );
  return rows;
}
