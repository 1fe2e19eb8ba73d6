/** What a version of a file consists of, a page at a time: it may have any number of extents. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type pg from "pg";
import { chunkIdFromBytes } from "../chunking/index.ts";
import { limits } from "../kernel/index.ts";
import type { GetFileMetadataResponseSchema } from "../protocol/index.ts";
import { ControllerError } from "./errors.ts";
import { readNodeLocations } from "./node-locations.ts";

interface ExtentRow {
  offset: number;
  length: number;
  chunkId: Buffer;
  chunkOffset: number;
  nodeIds: number[];
}

/** Rejects with `version.unknown`. */
export async function readFileMetadata(
  pool: pg.Pool,
  versionId: string,
  fromOffset: number,
): Promise<MessageInitShape<typeof GetFileMetadataResponseSchema>> {
  const sizeBytes = await committedSize(pool, versionId);
  const { rows } = await pool.query<ExtentRow>(
    `SELECT e."offset", e.length, e.chunk_id AS "chunkId", e.chunk_offset AS "chunkOffset", c.replicas AS "nodeIds"
       FROM extent e JOIN chunk c ON c.id = e.chunk_id
      WHERE e.version_id = $1 AND e."offset" >= $2 ORDER BY e."offset" LIMIT $3`,
    [versionId, fromOffset, limits.listPageMax],
  );
  const last = rows.at(-1);
  return {
    versionId,
    sizeBytes: BigInt(sizeBytes),
    extents: rows.map(({ chunkId, offset, ...extent }) => ({ ...extent, offset: BigInt(offset), chunkId: chunkIdFromBytes(chunkId) })),
    nextOffset: BigInt(last === undefined ? sizeBytes : last.offset + last.length),
    nodes: await readNodeLocations(
      pool,
      rows.flatMap(({ nodeIds }) => nodeIds),
    ),
  };
}

async function committedSize(pool: pg.Pool, versionId: string): Promise<number> {
  const { rows } = await pool.query<{ sizeBytes: number }>(
    `SELECT size_bytes AS "sizeBytes" FROM version WHERE id = $1 AND state = 'committed'`,
    [versionId],
  );
  if (rows[0] !== undefined) return rows[0].sizeBytes;
  throw new ControllerError("version.unknown", "There is no such version of a file.", { versionId });
}
