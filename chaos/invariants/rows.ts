/** The database's own sums: what the rows say of each other must agree. */
import type { Database } from "@holdfast/db";

/** Each query returns what breaks its rule, so an empty answer is a good one. */
const RULES: Readonly<Record<string, string>> = {
  "a drive's used bytes are the sum of its committed versions": `
    SELECT id, used_bytes, total FROM (
      SELECT d.id, d.used_bytes, (SELECT coalesce(sum(v.size_bytes), 0) FROM version v WHERE v.drive_id = d.id AND v.state = 'committed') AS total FROM drive d
    ) AS sums WHERE used_bytes <> total`,
  "a file is as long as its current version": `
    SELECT e.id, e.name, e.size_bytes, v.size_bytes AS version_bytes FROM entry e JOIN version v ON v.id = e.current_version_id
     WHERE e.kind = 'file' AND e.size_bytes <> v.size_bytes`,
  "a folder's size is the sum of what is below it outside the trash": `
    WITH RECURSIVE below AS (
      SELECT e.id AS top, e.id, e.kind, e.size_bytes FROM entry e WHERE e.kind = 'folder'
      UNION ALL
      SELECT below.top, e.id, e.kind, e.size_bytes FROM below JOIN entry e ON e.parent_id = below.id AND e.trashed_at IS NULL
    )
    SELECT f.id, f.name, f.size_bytes, sums.total
      FROM entry f JOIN (SELECT top, coalesce(sum(size_bytes) FILTER (WHERE kind = 'file'), 0) AS total FROM below GROUP BY top) AS sums ON sums.top = f.id
     WHERE f.size_bytes <> sums.total`,
  "a committed version's extents follow each other without a gap and are as long as it is": `
    SELECT v.id, v.size_bytes, sums.total FROM version v
      LEFT JOIN LATERAL (
        SELECT coalesce(sum(length), 0) AS total, coalesce(bool_and(starts = "offset"), true) AS seamless FROM (
          SELECT "offset", length, coalesce(sum(length) OVER (ORDER BY "offset" ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS starts
            FROM extent WHERE version_id = v.id
        ) AS run
      ) AS sums ON true
     WHERE v.state = 'committed' AND (v.size_bytes <> sums.total OR NOT sums.seamless)`,
  "an extent's chunk is live and holds all of the extent": `
    SELECT encode(c.id, 'hex') AS chunk, c.state, c.length, x.chunk_offset, x.length AS extent_length
      FROM extent x JOIN chunk c ON c.id = x.chunk_id
     WHERE c.state <> 'live' OR x.chunk_offset + x.length > c.length`,
  "an upload that has every byte is a file": `SELECT id, name, updated_at FROM upload WHERE state = 'complete' AND role = 'whole'`,
  "a version that is not committed belongs to an upload": `
    SELECT v.id FROM version v LEFT JOIN upload u ON u.version_id = v.id WHERE v.state = 'receiving' AND u.id IS NULL`,
  "no node is twice among a chunk's replicas": `
    SELECT encode(id, 'hex') AS chunk, replicas FROM chunk
     WHERE cardinality(replicas) <> (SELECT count(DISTINCT node) FROM unnest(replicas) AS node)`,
};

/** One line for each broken rule, with a few examples. */
export async function checkRows({ pool }: Database): Promise<string[]> {
  const broken: string[] = [];
  for (const [rule, query] of Object.entries(RULES)) {
    const { rows } = await pool.query<object>(query);
    if (rows.length > 0) broken.push(`not true of ${rows.length}: ${rule}; for example ${JSON.stringify(rows.slice(0, 3))}`);
  }
  return broken;
}
