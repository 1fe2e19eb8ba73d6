/** The first step: chunks that nothing refers to are condemned. Their copies stay where they are. */
import type pg from "pg";
import { type ChunkId, chunkIdFromBytes, chunkIdToBytes } from "../chunking/index.ts";
import type { Amount } from "./plan-brakes.ts";

/** Rows that one statement looks at, so that none runs for long. */
const PAGE_ROWS = 10_000;

export interface UnreferencedChunk {
  id: ChunkId;
  length: number;
}

/** Live chunks, older than the grace, that nothing refers to at the moment of asking: page by page, in the order of their ids. */
export async function* findUnreferenced(pool: pg.Pool, graceMs: number): AsyncGenerator<UnreferencedChunk[]> {
  let after: Buffer = Buffer.alloc(0);
  for (;;) {
    const end = await pageEnd(pool, after);
    const { rows } = await pool.query<{ id: Buffer; length: number }>({
      name: "garbage-unreferenced",
      text: `SELECT id, length FROM chunk
              WHERE id > $1 AND ($2::bytea IS NULL OR id <= $2) AND ${IS_UNREFERENCED} AND created_at < now() - $3::bigint * interval '1 millisecond'
              ORDER BY id`,
      values: [after, end, graceMs],
    });
    if (rows.length > 0) yield rows.map(({ id, length }) => ({ id: chunkIdFromBytes(id), length }));
    if (end === null) return;
    after = end;
  }
}

const IS_UNREFERENCED = "state = 'live' AND NOT EXISTS (SELECT FROM extent WHERE extent.chunk_id = chunk.id)";

/** Null on the last page. */
async function pageEnd(pool: pg.Pool, after: Buffer): Promise<Buffer | null> {
  const { rows } = await pool.query<{ id: Buffer }>({
    name: "garbage-page-end",
    text: "SELECT id FROM chunk WHERE id > $1 ORDER BY id OFFSET $2 LIMIT 1",
    values: [after, PAGE_ROWS - 1],
  });
  return rows[0]?.id ?? null;
}

/**
 * Condemns those of these chunks that nothing refers to.
 *
 * Two statements, and that is the point: whoever is about to refer to a chunk holds its row until the commit, so the lock is
 * had only when he has finished or not begun; and only a statement that begins after that sees what he wrote. In a single
 * one the question "does anything refer to it?" would be answered from before the lock. A row in use is left for the next time.
 */
export async function condemn(tx: pg.PoolClient, chunks: readonly UnreferencedChunk[]): Promise<Amount> {
  const { rows: locked } = await tx.query<{ id: Buffer }>({
    name: "garbage-lock",
    text: "SELECT id FROM chunk WHERE id = ANY ($1::bytea[]) ORDER BY id FOR UPDATE SKIP LOCKED",
    values: [chunks.map(({ id }) => chunkIdToBytes(id))],
  });
  const { rows } = await tx.query<{ length: number }>({
    name: "garbage-condemn",
    text: `UPDATE chunk SET state = 'condemned', condemned_at = clock_timestamp()
            WHERE id = ANY ($1::bytea[]) AND ${IS_UNREFERENCED} RETURNING length`,
    values: [locked.map(({ id }) => id)],
  });
  return { chunks: rows.length, bytes: rows.reduce((sum, { length }) => sum + length, 0) };
}
