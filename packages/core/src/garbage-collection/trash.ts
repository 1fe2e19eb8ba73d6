/** The second step: nodes are told to trash their copies of chunks that were condemned long enough ago. What may go wrong is told in `collector.ts`. */
import type pg from "pg";
import { type ChunkId, chunkIdFromBytes, chunkIdToBytes } from "../chunking/index.ts";
import { limits } from "../kernel/index.ts";
import { isWithinReach, type KnownNode } from "./nodes.ts";

/** A chunk whose copies may be trashed until its window closes. */
export interface DoomedChunk {
  id: ChunkId;
  /** The nodes that have still to trash theirs. */
  nodeIds: number[];
}

/**
 * Picks condemned chunks that a node within reach could trash now, and opens their windows: until these close, no answer of a
 * node that was asked for before counts as a copy. References are looked for once more, under the lock as in `condemn`.
 */
export async function openWindows(
  tx: pg.PoolClient,
  { nodes, graceMs, chunksMax }: DueTerms & { chunksMax: number },
): Promise<DoomedChunk[]> {
  const { text, values, removed } = due({ nodes, graceMs });
  const { rows: locked } = await tx.query<{ id: Buffer }>({
    name: "garbage-lock-due",
    text: `SELECT id FROM chunk WHERE ${text} ORDER BY condemned_at, id LIMIT $4 FOR UPDATE SKIP LOCKED`,
    values: [...values, chunksMax],
  });
  const { rows } = await tx.query<{ id: Buffer; nodeIds: number[] }>({
    name: "garbage-open-windows",
    text: `UPDATE chunk SET trashing_until = clock_timestamp() + $3::bigint * interval '1 millisecond',
                  replicas = ARRAY(SELECT unnest(replicas) EXCEPT SELECT unnest($2::smallint[]) ORDER BY 1)
            WHERE id = ANY ($1::bytea[]) AND state = 'condemned' AND NOT EXISTS (SELECT FROM extent WHERE extent.chunk_id = chunk.id)
            RETURNING id, replicas AS "nodeIds"`,
    values: [locked.map(({ id }) => id), removed, limits.trashSendWithinMs + limits.nodeCommandLifeMs],
  });
  return rows.map(({ id, nodeIds }) => ({ id: chunkIdFromBytes(id), nodeIds }));
}

/** Whether there is anything to open a window for. */
export async function hasDue(pool: pg.Pool, terms: DueTerms): Promise<boolean> {
  const { text, values } = due(terms);
  const { rowCount } = await pool.query({ name: "garbage-has-due", text: `SELECT FROM chunk WHERE ${text} LIMIT 1`, values });
  return rowCount === 1;
}

interface DueTerms {
  nodes: readonly KnownNode[];
  graceMs: number;
}

/**
 * Condemned for the grace, in nobody's use, and a node within reach has still to trash its copy, or no node has one. Chunks in
 * use that cannot be revived yet would otherwise fill every batch, and nothing behind them would have its turn.
 */
function due({ nodes, graceMs }: DueTerms): { text: string; values: unknown[]; removed: number[] } {
  const reachable = nodes.filter(isWithinReach).map(({ id }) => id);
  const removed = nodes.filter(({ intent }) => intent === "removed").map(({ id }) => id);
  const text = `state = 'condemned' AND condemned_at < clock_timestamp() - $1::bigint * interval '1 millisecond'
    AND (trashing_until IS NULL OR trashing_until < clock_timestamp())
    AND (replicas && $2::smallint[] OR replicas <@ $3::smallint[] AND (replicas <> '{}' OR trashing_until IS NULL))
    AND NOT EXISTS (SELECT FROM extent WHERE extent.chunk_id = chunk.id)`;
  return { text, values: [graceMs, reachable, removed], removed };
}

/** What became of the orders for one chunk. */
export interface TrashOutcome {
  id: ChunkId;
  /** The nodes that said it is done. */
  done: number[];
  /** No order is still out: each node that was asked has answered. */
  settled: boolean;
}

/** Where every order was answered the window closes now; elsewhere it closes by itself, when the orders that are out are dead. */
export async function closeWindows(tx: pg.PoolClient, outcomes: readonly TrashOutcome[]): Promise<void> {
  const ids = outcomes.map(({ id }) => chunkIdToBytes(id));
  await tx.query("SELECT FROM chunk WHERE id = ANY ($1::bytea[]) ORDER BY id FOR UPDATE", [ids]);
  await tx.query({
    name: "garbage-close-windows",
    text: `UPDATE chunk SET replicas = ARRAY(SELECT unnest(replicas) EXCEPT SELECT unnest(outcome.done::smallint[]) ORDER BY 1),
                  trashing_until = CASE WHEN outcome.settled THEN clock_timestamp() ELSE trashing_until END
             FROM unnest($1::bytea[], $2::text[], $3::boolean[]) AS outcome (id, done, settled)
            WHERE chunk.id = outcome.id AND chunk.state = 'condemned'`,
    values: [ids, outcomes.map(({ done }) => `{${done.join(",")}}`), outcomes.map(({ settled }) => settled)],
  });
}

const IS_FORGOTTEN = `state = 'condemned' AND replicas = '{}' AND trashing_until < clock_timestamp() - $1::bigint * interval '1 millisecond'
  AND NOT EXISTS (SELECT FROM extent WHERE extent.chunk_id = chunk.id)`;

export async function hasTombstones(pool: pg.Pool, tombstoneMs: number): Promise<boolean> {
  const { rowCount } = await pool.query(`SELECT FROM chunk WHERE ${IS_FORGOTTEN} LIMIT 1`, [tombstoneMs]);
  return rowCount === 1;
}

/** Rows of chunks that no node has any more go when nobody could still count on an answer from before. Returns how many. */
export async function forgetTombstones(
  tx: pg.PoolClient,
  { tombstoneMs, chunksMax }: { tombstoneMs: number; chunksMax: number },
): Promise<number> {
  const { rowCount } = await tx.query(
    `DELETE FROM chunk WHERE id IN (SELECT id FROM chunk WHERE ${IS_FORGOTTEN} ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED)`,
    [tombstoneMs, chunksMax],
  );
  return rowCount ?? 0;
}
