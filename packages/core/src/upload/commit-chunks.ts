/**
 * The moment bytes become part of an upload: chunk rows, extents and the offset in one statement, and so in one
 * transaction. The offset moves only from the value that the writer saw. Whoever lost the upload to another request
 * changes nothing, whatever any lock said.
 *
 * Nothing may refer to a chunk whose copies are on their way out. So the rows of all chunks are locked first, which keeps
 * garbage collection from condemning any of them, and then:
 * - a chunk that was known already must still be live and have its copies;
 * - a chunk that was written must have been written after the last order to trash copies of it was carried out or dead
 *   (`trashing_until`). A node that answered "I have it already" and then obeyed such an order has nothing any more. Only a
 *   memory of that order can tell, and it is kept for a limited time, so a copy that is older than half of it is no proof;
 * - one that was condemned comes back with the copies that were just proved, and none of its former ones.
 * Otherwise nothing happens, and the client sends the bytes again.
 */
import type pg from "pg";
import { type ChunkId, chunkIdToBytes } from "../chunking/index.ts";
import { limits } from "../kernel/index.ts";
import { copiesGone, wrongOffset } from "./errors.ts";

export interface ChunkToCommit {
  id: ChunkId;
  length: number;
  /** The nodes that hold it; undefined when its row was there before. */
  nodeIds: readonly number[] | undefined;
  /** The database's time before the first copy was asked for. */
  asOf: Date;
}

export interface CommitPosition {
  uploadId: string;
  /** Where the upload stands. */
  offset: number;
  /** How many copies a chunk must have if it is to be referred to without being written. */
  copiesMin: number;
}

/** Appends the chunks to the upload, in order. Returns the new offset. Rejects with `upload.wrong_offset` or `upload.copies_gone`. */
export async function commitChunks(
  pool: pg.Pool,
  { uploadId, offset, copiesMin }: CommitPosition,
  chunks: readonly ChunkToCommit[],
): Promise<number> {
  const written = chunks.flatMap(({ id, length, nodeIds, asOf }) => (nodeIds === undefined ? [] : [{ id, length, nodeIds, asOf }]));
  const known = [...new Set(chunks.flatMap(({ id, nodeIds }) => (nodeIds === undefined ? [id] : [])))];
  let end = offset;
  const offsets = chunks.map(({ length }) => (end += length) - length);
  const { rows } = await pool.query<{ copiesHold: boolean; committed: number }>({
    name: "upload-commit-chunks",
    text: COMMIT_CHUNKS,
    values: [
      uploadId,
      offset,
      end,
      limits.uploadExpiresAfterMs,
      written.map(({ id }) => chunkIdToBytes(id)),
      written.map(({ length }) => length),
      written.map(({ nodeIds }) => `{${nodeIds.join(",")}}`),
      written.map(({ asOf }) => asOf),
      offsets,
      chunks.map(({ length }) => length),
      chunks.map(({ id }) => chunkIdToBytes(id)),
      known.map(chunkIdToBytes),
      copiesMin,
      limits.chunkProofMs,
    ],
  });
  const { copiesHold, committed } = rows[0]!;
  if (!copiesHold) throw copiesGone();
  if (committed !== chunks.length) throw wrongOffset();
  return end;
}

/**
 * The row of a chunk that was just written may be there already: it gets the copies that were proved, and lives. What is said
 * of `created_at` is the time before the first copy was asked for.
 */
export const ADD_TO_THE_CHUNK = `ON CONFLICT (id) DO UPDATE
       SET state = 'live', condemned_at = NULL,
           replicas = CASE WHEN chunk.state = 'live' THEN ARRAY(SELECT unnest(chunk.replicas) UNION SELECT unnest(excluded.replicas) ORDER BY 1)
                           ELSE excluded.replicas END
     WHERE (chunk.state <> 'live' OR NOT chunk.replicas @> excluded.replicas)
       AND (chunk.trashing_until IS NULL OR chunk.trashing_until < excluded.created_at)`;

/**
 * Rows are taken in the order of their ids, so that two uploads of the same chunks cannot block each other. A surplus copy of
 * a live chunk may be given up while this runs: what was just proved is not added then, and the row's other copies suffice.
 */
const COMMIT_CHUNKS = `
  WITH written AS (
    SELECT * FROM unnest($5::bytea[], $6::int[], $7::text[], $8::timestamptz[]) AS new (id, length, replicas, as_of)
  ), locked AS MATERIALIZED (
    SELECT id, state, cardinality(replicas) AS copies, trashing_until FROM chunk WHERE id = ANY ($11::bytea[]) ORDER BY id FOR KEY SHARE
  ), proof AS MATERIALIZED (
    SELECT (SELECT count(*) FROM locked WHERE id = ANY ($12::bytea[]) AND state = 'live' AND copies >= $13) = cardinality($12)
       AND NOT EXISTS (SELECT FROM locked JOIN written USING (id) WHERE trashing_until >= as_of)
       AND NOT EXISTS (SELECT FROM written WHERE as_of < clock_timestamp() - $14::bigint * interval '1 millisecond') AS holds
  ), moved AS (
    UPDATE upload
       SET "offset" = $3, state = (CASE WHEN length = $3 THEN 'complete' ELSE 'receiving' END)::upload_state,
           updated_at = now(), expires_at = now() + $4::bigint * interval '1 millisecond'
     WHERE id = $1 AND "offset" = $2 AND state = 'receiving' AND (SELECT holds FROM proof)
    RETURNING version_id
  ), stored AS (
    INSERT INTO chunk (id, length, replicas, created_at)
    SELECT DISTINCT ON (written.id) written.id, written.length, written.replicas::smallint[], written.as_of
      FROM moved, written ORDER BY written.id, written.as_of
    ${ADD_TO_THE_CHUNK}
  ), appended AS (
    INSERT INTO extent (version_id, "offset", length, chunk_id)
    SELECT moved.version_id, part."offset", part.length, part.chunk_id
      FROM moved, unnest($9::bigint[], $10::int[], $11::bytea[]) AS part ("offset", length, chunk_id)
    RETURNING 1
  )
  SELECT (SELECT holds FROM proof) AS "copiesHold", (SELECT count(*) FROM appended) AS committed`;
