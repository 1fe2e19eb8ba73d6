import type pg from "pg";
import { type ChunkId, chunkIdFromBytes, chunkIdToBytes } from "../chunking/index.ts";
import { limits } from "../kernel/index.ts";

/** A chunk of whose bytes files need few. */
export interface SparsePack {
  id: ChunkId;
  length: number;
  replicas: readonly number[];
}

/** Some of a pack's bytes that files need. */
export interface KeptBytes {
  offset: number;
  length: number;
}

/** Rows that one statement looks at, so that none runs for long. */
const PAGE_ROWS = 5_000;

/** Page by page, in the order of their ids. What no file needs at all is garbage collection's. */
export async function* findSparsePacks(pool: pg.Pool): AsyncGenerator<SparsePack> {
  for (let after: Buffer = Buffer.alloc(0); ;) {
    const { rows } = await pool.query<{ id: Buffer; length: number; replicas: number[]; keptBytes: number }>({
      name: "repacking-kept-bytes",
      text: KEPT_BYTES,
      values: [after, PAGE_ROWS, limits.chunkBytesMax],
    });
    for (const { id, length, replicas, keptBytes } of rows) {
      if (keptBytes > 0 && keptBytes <= length * limits.repackShare) yield { id: chunkIdFromBytes(id), length, replicas };
    }
    if (rows.length < PAGE_ROWS) return;
    after = rows.at(-1)!.id;
  }
}

/** Nobody is asked about chunks of the greatest length: they are pieces of large files, and most of all chunks. */
const KEPT_BYTES = `
  SELECT page.id, page.length, page.replicas, kept.bytes AS "keptBytes"
    FROM (SELECT id, length, replicas FROM chunk WHERE id > $1 AND state = 'live' ORDER BY id LIMIT $2) AS page
   CROSS JOIN LATERAL (
     SELECT coalesce(sum(length), 0)::int AS bytes
       FROM (SELECT DISTINCT chunk_offset, length FROM extent WHERE chunk_id = page.id AND page.length < $3) AS part
   ) AS kept
   ORDER BY page.id`;

/** In their order, each once, and the database's time of the question. */
export async function readKeptBytes(pool: pg.Pool, id: ChunkId): Promise<{ kept: KeptBytes[]; asOf: Date }> {
  const { rows } = await pool.query<KeptBytes & { asOf: Date }>(
    `SELECT DISTINCT chunk_offset AS "offset", length, statement_timestamp() AS "asOf" FROM extent WHERE chunk_id = $1 ORDER BY 1`,
    [chunkIdToBytes(id)],
  );
  return { kept: rows.map(({ offset, length }) => ({ offset, length })), asOf: rows[0]?.asOf ?? new Date(0) };
}
