/** What the chunk rows learn from an inventory. Every statement asks again, under the rows' locks, taken in the order of their ids. */
import type pg from "pg";
import { type ChunkId, chunkIdFromBytes, chunkIdToBytes } from "../chunking/index.ts";
import type { ChunkStat } from "../chunk-store/index.ts";

const lock = (tx: pg.PoolClient, keys: readonly Buffer[]) =>
  tx.query({ name: "inventory-lock", text: "SELECT FROM chunk WHERE id = ANY ($1::bytea[]) ORDER BY id FOR UPDATE", values: [keys] });

/**
 * The node does not have these. Its name is taken out, but for the last one of a live chunk: a row that names no node would
 * hide where to look. `last` says how many of these there are.
 */
export async function forgetCopies(
  tx: pg.PoolClient,
  nodeId: number,
  ids: readonly ChunkId[],
): Promise<{ forgotten: number; last: number }> {
  const keys = ids.map(chunkIdToBytes);
  await lock(tx, keys);
  const { rowCount: forgotten } = await tx.query({
    name: "inventory-forget",
    text: `UPDATE chunk SET replicas = array_remove(replicas, $2::smallint)
            WHERE id = ANY ($1::bytea[]) AND $2 = ANY (replicas) AND (cardinality(replicas) > 1 OR state = 'condemned')`,
    values: [keys, nodeId],
  });
  const { rowCount: last } = await tx.query("SELECT FROM chunk WHERE id = ANY ($1::bytea[]) AND replicas = ARRAY[$2::smallint]", [
    keys,
    nodeId,
  ]);
  return { forgotten: forgotten ?? 0, last: last ?? 0 };
}

/** The node has these, read whole after `asOf`. They count, unless they were let go of since. Returns how many do. */
export async function addCopies(tx: pg.PoolClient, nodeId: number, ids: readonly ChunkId[], asOf: Date): Promise<number> {
  const keys = ids.map(chunkIdToBytes);
  await lock(tx, keys);
  const { rowCount } = await tx.query({
    name: "inventory-add",
    text: `UPDATE chunk SET replicas = ARRAY(SELECT unnest(replicas) UNION SELECT $2::smallint ORDER BY 1)
            WHERE id = ANY ($1::bytea[]) AND state = 'live' AND NOT $2 = ANY (replicas) AND (trashing_until IS NULL OR trashing_until < $3)`,
    values: [keys, nodeId, asOf],
  });
  return rowCount ?? 0;
}

/** The node has to be told to trash these, too. One that every node had trashed waits for its grace once more. */
export async function nameForTrash(tx: pg.PoolClient, nodeId: number, ids: readonly ChunkId[]): Promise<void> {
  const keys = ids.map(chunkIdToBytes);
  await lock(tx, keys);
  await tx.query({
    name: "inventory-name-for-trash",
    text: `UPDATE chunk SET replicas = ARRAY(SELECT unnest(replicas) UNION SELECT $2::smallint ORDER BY 1),
                  condemned_at = CASE WHEN replicas = '{}' THEN clock_timestamp() ELSE condemned_at END
            WHERE id = ANY ($1::bytea[]) AND state = 'condemned' AND NOT $2 = ANY (replicas)`,
    values: [keys, nodeId],
  });
}

/** Those of them that still have no row. */
export async function stillUnknown(pool: pg.Pool, chunks: readonly ChunkStat[]): Promise<ChunkStat[]> {
  const { rows } = await pool.query<{ id: Buffer }>("SELECT id FROM chunk WHERE id = ANY ($1::bytea[])", [
    chunks.map(({ id }) => chunkIdToBytes(id)),
  ]);
  const known = new Set(rows.map(({ id }) => chunkIdFromBytes(id)));
  return chunks.filter(({ id }) => !known.has(id));
}

/**
 * Gives chunks that nobody knows a row, as condemned ones. So the time when they were first seen is remembered through every
 * restart, they wait for the grace like any other garbage, and whoever uploads the same bytes meanwhile brings them to life.
 */
export async function adopt(tx: pg.PoolClient, nodeId: number, chunks: readonly ChunkStat[]): Promise<number> {
  const { rowCount } = await tx.query({
    name: "inventory-adopt",
    text: `INSERT INTO chunk (id, length, replicas, state, condemned_at)
           SELECT id, length, ARRAY[$3::smallint], 'condemned', clock_timestamp() FROM unnest($1::bytea[], $2::int[]) AS new (id, length) ORDER BY id
           ON CONFLICT DO NOTHING`,
    values: [chunks.map(({ id }) => chunkIdToBytes(id)), chunks.map(({ length }) => length), nodeId],
  });
  return rowCount ?? 0;
}
