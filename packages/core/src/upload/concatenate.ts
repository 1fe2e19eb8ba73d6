/**
 * Concatenation: a file from parts that were uploaded in parallel.
 *
 * No byte moves: the parts' extents are copied with shifted offsets, in one transaction. The parts stay for a while with
 * references of their own, so that a client that never heard the answer may ask again; it then gets the same upload, not
 * a second file.
 */
import { randomUUIDv7 } from "node:crypto";
import { inTransaction } from "@holdfast/db";
import type pg from "pg";
import type { Actor } from "../drive/index.ts";
import { limits } from "../kernel/index.ts";
import { tooLarge, UploadError, uploadNotFound } from "./errors.ts";
import { describeUpload } from "./new-upload.ts";
import { insertUpload, type NewUpload, UPLOAD_COLUMNS, type UploadRow } from "./upload-row.ts";

export interface Concatenation {
  /** In their order in the file; one may be used twice. */
  partIds: readonly string[];
  metadata: string;
  concat: string;
}

/**
 * Returns the id of the final upload, which is complete. Rejects with `upload.part_unfinished`, `upload.not_found`,
 * `upload.too_large`, or what makes any new upload impossible.
 */
export async function concatenate(pool: pg.Pool, actor: Actor, { partIds, metadata, concat }: Concatenation): Promise<string> {
  const target = await describeUpload(pool, actor, metadata);
  const copy = async (tx: pg.PoolClient): Promise<string> => {
    const parts = await lockParts(tx, actor, partIds);
    const earlier = await findEarlier(tx, actor, metadata, concat);
    if (earlier !== undefined) return earlier;

    let length = 0;
    const offsets = parts.map((part) => (length += part.offset) - part.offset);
    if (length > limits.uploadBytesMax) throw tooLarge();
    await spendParts(tx, partIds);
    const upload: NewUpload = { ...target, id: randomUUIDv7(), role: "final", length, offset: length, metadata, concat };
    const versionId = await insertUpload(tx, upload);
    await copyExtents(
      tx,
      versionId,
      parts.map((part) => part.versionId),
      offsets,
    );
    return upload.id;
  };
  return await inTransaction(pool, copy, { statementTimeoutMs: limits.databaseLongStatementMs });
}

/** The parts in their order, unchangeable until the commit. */
async function lockParts(tx: pg.PoolClient, actor: Actor, partIds: readonly string[]): Promise<UploadRow[]> {
  const { rows } = await tx.query<UploadRow>(
    `SELECT ${UPLOAD_COLUMNS} FROM upload WHERE id = ANY ($1::uuid[]) AND drive_id = $2 AND expires_at > now() ORDER BY id FOR UPDATE`,
    [partIds, actor.driveId],
  );
  const byId = new Map(rows.map((row) => [row.id, row]));
  return partIds.map((id) => {
    const part = byId.get(id);
    if (part === undefined) throw uploadNotFound();
    if (part.role === "partial" && (part.state === "complete" || part.state === "committed")) return part;
    throw new UploadError("upload.part_unfinished", "A part of this upload is not finished, or is no part. Finish all parts first.", {
      partId: id,
    });
  });
}

/** Their bytes are the whole's from here on: they claim no room of their own any more, and stay only for a while. */
async function spendParts(tx: pg.PoolClient, partIds: readonly string[]): Promise<void> {
  await tx.query(
    `UPDATE upload SET state = 'committed', expires_at = LEAST(expires_at, now() + $2::bigint * interval '1 millisecond')
      WHERE id = ANY ($1::uuid[])`,
    [partIds, limits.uploadPartialKeepMs],
  );
}

async function findEarlier(tx: pg.PoolClient, actor: Actor, metadata: string, concat: string): Promise<string | undefined> {
  const { rows } = await tx.query<{ id: string }>(
    "SELECT id FROM upload WHERE drive_id = $1 AND role = 'final' AND concat = $2 AND metadata = $3 AND state IN ('complete', 'committed')",
    [actor.driveId, concat, metadata],
  );
  return rows[0]?.id;
}

async function copyExtents(
  tx: pg.PoolClient,
  versionId: string,
  partVersionIds: readonly string[],
  offsets: readonly number[],
): Promise<void> {
  await tx.query(
    `INSERT INTO extent (version_id, "offset", length, chunk_id, chunk_offset)
     SELECT $1, part."offset" + extent."offset", extent.length, extent.chunk_id, extent.chunk_offset
       FROM unnest($2::uuid[], $3::bigint[]) AS part (version_id, "offset") JOIN extent USING (version_id)`,
    [versionId, partVersionIds, offsets],
  );
}
