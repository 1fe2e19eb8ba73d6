/**
 * The moment bytes become part of an upload: chunk rows, extents and the offset in one statement, and so in one
 * transaction. The offset moves only from the value that the writer saw. Whoever lost the upload to another request
 * changes nothing, whatever any lock said.
 *
 * A chunk that was known already gets no row: should it have been removed meanwhile, the extent's foreign key refuses.
 */
import type pg from "pg";
import { type ChunkId, chunkIdToBytes } from "../chunking/index.ts";
import { limits } from "../kernel/index.ts";
import { wrongOffset } from "./errors.ts";

export interface ChunkToCommit {
  id: ChunkId;
  length: number;
  /** The nodes that hold it; undefined when its row was there before. */
  nodeIds: readonly number[] | undefined;
}

/** Appends the chunks to the upload, in order. Returns the new offset. Rejects with `upload.wrong_offset`. */
export async function commitChunks(pool: pg.Pool, uploadId: string, offset: number, chunks: readonly ChunkToCommit[]): Promise<number> {
  const written = chunks.flatMap(({ id, length, nodeIds }) => (nodeIds === undefined ? [] : [{ id, length, nodeIds }]));
  let end = offset;
  const offsets = chunks.map(({ length }) => (end += length) - length);
  const { rowCount } = await pool.query({
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
      offsets,
      chunks.map(({ length }) => length),
      chunks.map(({ id }) => chunkIdToBytes(id)),
    ],
  });
  if (rowCount !== chunks.length) throw wrongOffset();
  return end;
}

/** Rows are taken in the order of their ids, so that two uploads of the same chunks cannot block each other. */
const COMMIT_CHUNKS = `
  WITH moved AS (
    UPDATE upload
       SET "offset" = $3, state = (CASE WHEN length = $3 THEN 'complete' ELSE 'receiving' END)::upload_state,
           updated_at = now(), expires_at = now() + $4::bigint * interval '1 millisecond'
     WHERE id = $1 AND "offset" = $2 AND state = 'receiving'
    RETURNING version_id
  ), stored AS (
    INSERT INTO chunk (id, length, replicas)
    SELECT DISTINCT ON (new.id) new.id, new.length, new.replicas::smallint[]
      FROM moved, unnest($5::bytea[], $6::int[], $7::text[]) AS new (id, length, replicas)
     ORDER BY new.id
    ON CONFLICT (id) DO UPDATE
       SET state = 'live', replicas = ARRAY(SELECT unnest(chunk.replicas) UNION SELECT unnest(excluded.replicas) ORDER BY 1)
     WHERE chunk.state <> 'live' OR NOT chunk.replicas @> excluded.replicas
  )
  INSERT INTO extent (version_id, "offset", length, chunk_id)
  SELECT moved.version_id, part."offset", part.length, part.chunk_id
    FROM moved, unnest($8::bigint[], $9::int[], $10::bytea[]) AS part ("offset", length, chunk_id)`;
