import type pg from "pg";
import { type ChunkId, chunkIdFromBytes, chunkIdToBytes } from "../chunking/index.ts";
import type { ChunkRow } from "./homes.ts";

type Db = Pick<pg.ClientBase, "query">;

export interface PageRequest {
  /** The last id of the page before; undefined for the first. */
  after: ChunkId | undefined;
  limit: number;
  /** Only chunks of which this node has a copy. */
  holder?: number | undefined;
  /** Leaves out chunks that were written more recently: their last copies may still be on their way. */
  settledForMs?: number;
}

/** Live chunks in ascending order of id. Ids are hashes, so every stretch of them is a fair sample. */
export async function readChunks(db: Db, { after, limit, holder, settledForMs = 0 }: PageRequest): Promise<ChunkRow[]> {
  const { rows } = await db.query<{ id: Buffer; length: number; replicas: number[] }>({
    name: holder === undefined ? "topology-chunks" : "topology-chunks-of-node",
    text: `SELECT id, length, replicas FROM chunk
            WHERE state = 'live' AND id > $1 AND created_at <= now() - $3::bigint * interval '1 millisecond'
                  ${holder === undefined ? "" : "AND replicas @> ARRAY[$4::smallint]"}
            ORDER BY id LIMIT $2`,
    values: [after === undefined ? Buffer.alloc(0) : chunkIdToBytes(after), limit, settledForMs, ...(holder === undefined ? [] : [holder])],
  });
  return rows.map(({ id, length, replicas }) => ({ id: chunkIdFromBytes(id), length, replicas }));
}

/** Undefined when it is not live any more. */
export async function readChunk(db: Db, id: ChunkId): Promise<ChunkRow | undefined> {
  const { rows } = await db.query<Omit<ChunkRow, "id">>({
    name: "topology-chunk",
    text: "SELECT length, replicas FROM chunk WHERE id = $1 AND state = 'live'",
    values: [chunkIdToBytes(id)],
  });
  return rows[0] && { id, ...rows[0] };
}

export async function holdsLiveChunks(db: Db, nodeId: number): Promise<boolean> {
  const { rows } = await db.query<{ found: boolean }>(
    "SELECT EXISTS (SELECT FROM chunk WHERE state = 'live' AND replicas @> ARRAY[$1::smallint]) AS found",
    [nodeId],
  );
  return rows[0]!.found;
}

export interface HeldByNode {
  chunks: number;
  bytes: number;
  /** Of those, how many none of the other given nodes has. */
  onlyHere: number;
}

export async function countHeldBy(db: Db, nodeId: number, others: readonly number[]): Promise<HeldByNode> {
  const { rows } = await db.query<HeldByNode>(
    `SELECT count(*) AS chunks, coalesce(sum(length), 0)::bigint AS bytes, count(*) FILTER (WHERE NOT replicas && $2::smallint[]) AS "onlyHere"
       FROM chunk WHERE state = 'live' AND replicas @> ARRAY[$1::smallint]`,
    [nodeId, others],
  );
  return rows[0]!;
}

/** Bytes of live chunks by node number. Reads every row. */
export async function sumHeldBytes(db: Db): Promise<Map<number, number>> {
  const { rows } = await db.query<{ nodeId: number; bytes: number }>(
    `SELECT node_id AS "nodeId", sum(length)::bigint AS bytes
       FROM chunk, unnest(replicas) AS holder (node_id) WHERE state = 'live' GROUP BY node_id`,
  );
  return new Map(rows.map(({ nodeId, bytes }) => [nodeId, bytes]));
}
