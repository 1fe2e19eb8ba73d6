import type pg from "pg";
import { type ChunkId, chunkIdToBytes } from "../chunking/index.ts";
import { limits } from "../kernel/index.ts";
import { ADD_TO_THE_CHUNK } from "../upload/index.ts";
import type { KeptBytes } from "./sparse-packs.ts";

/** Bytes of one chunk that are in another, too. */
export interface MovedBytes extends KeptBytes {
  movedTo: number;
}

export interface Move {
  from: ChunkId;
  moved: readonly MovedBytes[];
  to: { id: ChunkId; length: number; nodeIds: readonly number[]; asOf: Date };
}

/**
 * Extents of one chunk become extents of another that holds the same bytes. Returns how many; none when the new chunk's copies
 * prove nothing, by the rules of `upload/commit-chunks`, or when somebody else is at the old one.
 *
 * Two statements, as in `garbage-collection/condemn`: whoever is about to refer to the chunk holds its row until the commit, so what
 * he refers to is seen once the lock is had. It waits for nobody, who might be waiting for it: an extent that is being deleted is
 * left out, and of a new chunk's row that somebody else holds nothing is believed. What stays on the old chunk is not lost, for that
 * chunk stays while it is needed.
 */
export async function moveExtents(tx: pg.PoolClient, { from, moved, to }: Move): Promise<number> {
  const [fromId, toId] = [from, to.id].map(chunkIdToBytes) as [Buffer, Buffer];
  const locked = await tx.query<{ id: Buffer }>({
    name: "repacking-lock",
    text: "SELECT id FROM chunk WHERE id = ANY ($1::bytea[]) ORDER BY id FOR UPDATE SKIP LOCKED",
    values: [[fromId, toId]],
  });
  const isLocked = (wanted: Buffer): boolean => locked.rows.some(({ id }) => id.equals(wanted));
  if (!isLocked(fromId)) return 0;
  const { rowCount } = await tx.query({
    name: "repacking-move",
    text: MOVE,
    values: [
      fromId,
      toId,
      to.length,
      to.nodeIds,
      to.asOf,
      limits.chunkProofMs,
      moved.map(({ offset }) => offset),
      moved.map(({ length }) => length),
      moved.map(({ movedTo }) => movedTo),
      isLocked(toId),
    ],
  });
  return rowCount ?? 0;
}

const MOVE = `
  WITH proof AS MATERIALIZED (
    SELECT NOT EXISTS (SELECT FROM chunk WHERE id = $2 AND (NOT $10::boolean OR trashing_until >= $5))
       AND $5 >= clock_timestamp() - $6::bigint * interval '1 millisecond' AS holds
  ), stored AS (
    INSERT INTO chunk (id, length, replicas, created_at) SELECT $2, $3::int, $4::smallint[], $5::timestamptz FROM proof WHERE holds
    ${ADD_TO_THE_CHUNK}
  ), free AS MATERIALIZED (
    SELECT version_id, "offset" AS place, chunk_offset, length FROM extent WHERE chunk_id = $1 FOR UPDATE SKIP LOCKED
  )
  UPDATE extent SET chunk_id = $2, chunk_offset = moved_to
    FROM proof, free JOIN unnest($7::int[], $8::int[], $9::int[]) AS moved (chunk_offset, length, moved_to) USING (chunk_offset, length)
   WHERE holds AND extent.version_id = free.version_id AND extent."offset" = free.place`;
