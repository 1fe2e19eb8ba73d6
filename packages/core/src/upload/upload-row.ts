/** What the database knows about an upload. */
import { randomUUIDv7 } from "node:crypto";
import type { UploadRole, UploadState } from "@holdfast/db";
import type pg from "pg";
import { type Actor, type ConflictPolicy, requireRoomForClaims } from "../drive/index.ts";
import { limits } from "../kernel/index.ts";
import { tooManyOpen, uploadNotFound, wrongOffset } from "./errors.ts";

export interface UploadRow {
  id: string;
  driveId: string;
  versionId: string;
  role: UploadRole;
  state: UploadState;
  /** Null until declared. */
  length: number | null;
  offset: number;
  /** Null for a partial upload only. */
  parentId: string | null;
  name: string;
  relativePath: string;
  mediaType: string;
  conflict: ConflictPolicy;
  metadata: string;
  concat: string;
  entryId: string | null;
  failure: string | null;
  expiresAt: Date;
}

export const UPLOAD_COLUMNS = `
  upload.id, upload.drive_id AS "driveId", upload.version_id AS "versionId", upload.role, upload.state, upload.length,
  upload."offset", upload.parent_id AS "parentId", upload.name, upload.relative_path AS "relativePath",
  upload.media_type AS "mediaType", upload.conflict, upload.metadata, upload.concat, upload.entry_id AS "entryId",
  upload.failure, upload.expires_at AS "expiresAt"`;

/** Rejects with `upload.not_found` for an upload that is not there or not the actor's. */
export async function requireUpload(pool: pg.Pool, actor: Actor, id: string): Promise<UploadRow> {
  const { rows } = await pool.query<UploadRow>({
    name: "upload-find",
    text: `SELECT ${UPLOAD_COLUMNS} FROM upload WHERE id = $1 AND drive_id = $2`,
    values: [id, actor.driveId],
  });
  const upload = rows[0] ?? (await findWholeFile(pool, actor, id));
  if (upload === undefined) throw uploadNotFound();
  return upload;
}

/** The upload of a file that came whole, as its row would be if it had one. */
async function findWholeFile(pool: pg.Pool, { driveId }: Actor, id: string): Promise<UploadRow | undefined> {
  const { rows } = await pool.query<Pick<UploadRow, "metadata" | "entryId" | "expiresAt"> & { length: number }>({
    name: "upload-find-whole-file",
    text: `SELECT size_bytes AS length, announced AS metadata, entry_id AS "entryId",
                  created_at + $3::bigint * interval '1 millisecond' AS "expiresAt"
             FROM version
            WHERE id = $1 AND drive_id = $2 AND announced IS NOT NULL AND created_at > now() - $3::bigint * interval '1 millisecond'`,
    values: [id, driveId, limits.uploadExpiresAfterMs],
  });
  if (rows[0] === undefined) return undefined;
  return { ...WHOLE_FILE, ...rows[0], id, driveId, versionId: id, offset: rows[0].length };
}

const WHOLE_FILE = {
  role: "whole",
  state: "committed",
  parentId: null,
  name: "",
  relativePath: "",
  mediaType: "",
  conflict: "keep-both",
  concat: "",
  failure: null,
} as const;

export type NewUpload = Pick<UploadRow, "id" | "driveId" | "role" | "length" | "metadata" | "concat"> &
  Partial<Pick<UploadRow, "offset" | "parentId" | "name" | "relativePath" | "mediaType" | "conflict">>;

/**
 * Makes the upload and its version. One that lacks no byte is complete from the start. Returns the version's id. Rejects
 * with `upload.too_many_open` or `drive.over_quota`; then the transaction must be rolled back.
 */
export async function insertUpload(tx: pg.PoolClient, upload: NewUpload): Promise<string> {
  const versionId = randomUUIDv7();
  const offset = upload.offset ?? 0;
  const { rowCount } = await tx.query({
    name: "upload-insert",
    text: `
      WITH version AS (INSERT INTO version (id, drive_id) VALUES ($2, $3))
      INSERT INTO upload (id, version_id, drive_id, role, state, length, "offset", parent_id, name, relative_path, media_type,
                          conflict, metadata, concat, expires_at)
      SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, now() + $15::bigint * interval '1 millisecond'
       WHERE (SELECT count(*) FROM upload WHERE drive_id = $3 AND state IN ('receiving', 'complete')) < $16`,
    values: [
      upload.id,
      versionId,
      upload.driveId,
      upload.role,
      offset === upload.length ? "complete" : "receiving",
      upload.length,
      offset,
      upload.parentId ?? null,
      upload.name ?? "",
      upload.relativePath ?? "",
      upload.mediaType ?? "",
      upload.conflict ?? "keep-both",
      upload.metadata,
      upload.concat,
      limits.uploadExpiresAfterMs,
      limits.uploadsOpenMax,
    ],
  });
  if (rowCount !== 1) throw tooManyOpen();
  await requireRoomForClaims(tx, upload.driveId);
  return versionId;
}

/**
 * For an upload whose length was deferred. Rejects with `upload.wrong_offset` when it has one by now, or more bytes already;
 * with `drive.over_quota` when there is no room for it, and then the transaction must be rolled back.
 */
export async function declareLength(tx: pg.PoolClient, id: string, length: number): Promise<void> {
  const { rows } = await tx.query<{ driveId: string }>(
    `UPDATE upload SET length = $2, state = (CASE WHEN "offset" = $2 THEN 'complete' ELSE 'receiving' END)::upload_state, updated_at = now()
      WHERE id = $1 AND length IS NULL AND "offset" <= $2 AND state = 'receiving'
      RETURNING drive_id AS "driveId"`,
    [id, length],
  );
  if (rows[0] === undefined) throw wrongOffset();
  await requireRoomForClaims(tx, rows[0].driveId);
}

/** Forgets the upload of a file that came whole; the file stays. */
export async function forgetWholeFile(tx: pg.PoolClient, id: string): Promise<void> {
  await tx.query("UPDATE version SET announced = NULL WHERE id = $1 AND announced IS NOT NULL", [id]);
}

/** Forgets an upload, and its bytes unless they have become a file. The chunks themselves are garbage collection's. */
export async function deleteUploads(tx: pg.PoolClient, ids: readonly string[]): Promise<void> {
  const { rows } = await tx.query<{ versionId: string }>(
    `DELETE FROM upload WHERE id = ANY ($1::uuid[]) RETURNING version_id AS "versionId"`,
    [ids],
  );
  await tx.query("DELETE FROM version WHERE id = ANY ($1::uuid[]) AND state = 'receiving'", [rows.map(({ versionId }) => versionId)]);
}
