/**
 * What the nodes reported over time, for the charts. Nothing decides by a sample.
 *
 * A sample a minute is kept for a day, after that one every quarter of an hour, and nothing beyond ninety days. A node that is
 * not heard gets no sample: its line has a gap, and does not go on at the last value.
 */
import type pg from "pg";
import { limits } from "../kernel/index.ts";

/** Notes the present figures of every node heard within an interval, or of one that just registered. */
export async function recordSamples(pool: pg.Pool, nodeId: number | null = null): Promise<void> {
  await pool.query(
    `INSERT INTO node_sample (node_id, at, capacity_bytes, free_bytes, used_bytes, chunk_count)
     SELECT id, now(), capacity_bytes, free_bytes, used_bytes, chunk_count FROM node
      WHERE last_seen_at > now() - $1 * interval '1 ms' AND health <> 'down' AND ($2::smallint IS NULL OR id = $2)
     ON CONFLICT DO NOTHING`,
    [limits.nodeSampleIntervalMs, nodeId],
  );
}

/** Leaves the first sample of each quarter of an hour. Looks at two days, the youngest excepted: what is older is thin already. */
export async function thinSamples(pool: pg.Pool): Promise<void> {
  await pool.query(
    `DELETE FROM node_sample USING (
       SELECT node_id, at, row_number() OVER (PARTITION BY node_id, date_bin('15 min', at, 'epoch') ORDER BY at) AS place
         FROM node_sample WHERE at BETWEEN now() - interval '3 days' AND now() - interval '1 day') ranked
      WHERE ranked.place > 1 AND node_sample.node_id = ranked.node_id AND node_sample.at = ranked.at`,
  );
}

export async function removeOldSamples(pool: pg.Pool): Promise<void> {
  await pool.query("DELETE FROM node_sample WHERE at < now() - $1 * interval '1 ms'", [limits.nodeSampleKeepMs]);
}
