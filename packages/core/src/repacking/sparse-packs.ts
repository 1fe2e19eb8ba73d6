import type pg from "pg";
import { type ChunkId, chunkIdFromBytes, chunkIdToBytes } from "../chunking/index.ts";
import { limits } from "../kernel/index.ts";

/** A chunk of whose bytes files seem to need few. */
export interface SparsePack {
  id: ChunkId;
  length: number;
}

/** What of a pack files need, and where it is, at one moment. */
export interface KeptOfPack {
  replicas: readonly number[];
  /** In their order, each once. */
  kept: readonly KeptBytes[];
  /** The database's time of the question. */
  asOf: Date;
}

export interface KeptBytes {
  offset: number;
  length: number;
}

/** Rows that one statement looks at, so that none runs for long; and extents of one chunk, which may be in very many files. */
const PAGE_ROWS = 2_000;
const EXTENTS_MAX = 1_000;

export function isSparse(keptBytes: number, length: number): boolean {
  return keptBytes > 0 && keptBytes <= length * limits.repackShare;
}

/** Page by page, in the order of their ids; pages without any are empty. What no file needs at all is garbage collection's. */
export async function* findSparsePacks(pool: pg.Pool): AsyncGenerator<SparsePack[]> {
  for (let after: Buffer = Buffer.alloc(0); ;) {
    const { rows } = await pool.query<{ id: Buffer; length: number; keptBytes: number }>({
      name: "repacking-kept-bytes",
      text: KEPT_BYTES,
      values: [after, PAGE_ROWS, limits.chunkBytesMax, EXTENTS_MAX],
    });
    const sparse = rows.filter(({ keptBytes, length }) => isSparse(keptBytes, length));
    yield sparse.map(({ id, length }) => ({ id: chunkIdFromBytes(id), length }));
    if (rows.length < PAGE_ROWS) return;
    after = rows.at(-1)!.id;
  }
}

/**
 * Nobody is asked about chunks of the greatest length: they are pieces of large files, and most of all chunks. The state is judged
 * behind the page: there is an index of all live chunks, and reading it would look cheap for long.
 */
const KEPT_BYTES = `
  SELECT page.id, page.length, kept.bytes AS "keptBytes"
    FROM (SELECT id, length, state FROM chunk WHERE id > $1 ORDER BY id LIMIT $2) AS page
   CROSS JOIN LATERAL (
     SELECT coalesce(sum(length), 0) AS bytes FROM (
       SELECT DISTINCT chunk_offset, length FROM (
         SELECT chunk_offset, length FROM extent WHERE chunk_id = page.id AND page.state = 'live' AND page.length < $3 LIMIT $4
       ) AS few
     ) AS part
   ) AS kept
   ORDER BY page.id`;

/** Undefined when it is not there any more. */
export async function readKept(pool: pg.Pool, id: ChunkId): Promise<KeptOfPack | undefined> {
  const { rows } = await pool.query<KeptOfPack>({
    name: "repacking-read",
    text: `SELECT replicas, statement_timestamp() AS "asOf", (
             SELECT coalesce(json_agg(json_build_object('offset', part.chunk_offset, 'length', part.length)), '[]')
               FROM (SELECT DISTINCT chunk_offset, length FROM extent WHERE chunk_id = $1 ORDER BY 1, 2) AS part
           ) AS kept
             FROM chunk WHERE id = $1 AND state = 'live'`,
    values: [chunkIdToBytes(id)],
  });
  return rows[0];
}
