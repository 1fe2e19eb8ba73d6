import type pg from "pg";
import { type ChunkId, chunkIdToBytes } from "../chunking/index.ts";
import { limits } from "../kernel/index.ts";
import { ADD_TO_THE_CHUNK } from "../upload/index.ts";
import type { KeptBytes } from "./sparse-packs.ts";

export interface Move {
  from: ChunkId;
  /** What of it is moved, in the order in which the new chunk has it. */
  kept: readonly KeptBytes[];
  to: { id: ChunkId; length: number; nodeIds: readonly number[]; asOf: Date };
}

/**
 * The extents of one chunk become extents of another that holds the same bytes. Returns how many; none when the new chunk's copies
 * prove nothing, by the rules of `upload/commit-chunks`.
 *
 * Two statements, as in `garbage-collection/condemn`: whoever is about to refer to the chunk holds its row until the commit, so what
 * he refers to is seen once the lock is had. What would be left on the old chunk is not lost, for that chunk stays while it is needed.
 */
export async function moveExtents(tx: pg.PoolClient, { from, kept, to }: Move): Promise<number> {
  const ids = [from, to.id].map(chunkIdToBytes);
  await tx.query({
    name: "repacking-lock",
    text: "SELECT FROM chunk WHERE id = ANY ($1::bytea[]) ORDER BY id FOR UPDATE",
    values: [ids],
  });
  let end = 0;
  const { rowCount } = await tx.query({
    name: "repacking-move",
    text: MOVE,
    values: [
      ...ids,
      to.length,
      to.nodeIds,
      to.asOf,
      limits.chunkProofMs,
      kept.map(({ offset }) => offset),
      kept.map(({ length }) => length),
      kept.map(({ length }) => (end += length) - length),
    ],
  });
  return rowCount ?? 0;
}

const MOVE = `
  WITH proof AS MATERIALIZED (
    SELECT NOT EXISTS (SELECT FROM chunk WHERE id = $2 AND trashing_until >= $5)
       AND $5 >= clock_timestamp() - $6::bigint * interval '1 millisecond' AS holds
  ), stored AS (
    INSERT INTO chunk (id, length, replicas, created_at) SELECT $2, $3::int, $4::smallint[], $5::timestamptz FROM proof WHERE holds
    ${ADD_TO_THE_CHUNK}
  )
  UPDATE extent SET chunk_id = $2, chunk_offset = kept.moved_to
    FROM proof, unnest($7::int[], $8::int[], $9::int[]) AS kept ("offset", length, moved_to)
   WHERE holds AND extent.chunk_id = $1 AND extent.chunk_offset = kept."offset" AND extent.length = kept.length`;
