/**
 * The last step of an upload: `complete` becomes `committed`, and the file is there to see.
 *
 * Whoever comes first does it: the request that brought the last byte, a later one that asks how it went, or the sweeper
 * when all of them died. The row's lock lets one through; the others find it done. What cannot become a file (no room, a
 * name that became too deep) is `failed` for good: its bytes are let go, and the reason is kept for whoever asks.
 */
import { inTransaction } from "@holdfast/db";
import type pg from "pg";
import { placeVersion } from "../drive/index.ts";
import { createGathering } from "../gathering/index.ts";
import { DomainError, type Logger } from "../kernel/index.ts";
import { UPLOAD_COLUMNS, type UploadRow } from "./upload-row.ts";

/** Finalises uploads of one drive one after the other. */
export type FinaliseInTurn = (driveId: string, uploadId: string) => Promise<Finalised | undefined>;

/**
 * Each would wait for the drive's lock with a connection in its hands, and a few dozen uploads that end at one moment would
 * leave none for anybody else.
 */
export function createFinaliser(options: Pick<FinaliseOptions, "pool" | "logger">): FinaliseInTurn {
  return createGathering({ itemsMax: 1, work: async (_, [uploadId]: readonly string[]) => [await finalise(uploadId!, options)] });
}

export interface FinaliseOptions {
  pool: pg.Pool;
  logger: Logger;
  /** Leave an upload that somebody else is finalising at this moment. */
  skipLocked?: boolean;
}

/** The file that an upload became. */
export interface Finalised {
  entryId: string;
  /** True when its folder was gone and this very call put it into the root instead. */
  isRelocated: boolean;
}

/**
 * Undefined for an upload that is not complete, is a part of a concatenation, or was skipped. May be repeated. Rejects with
 * the `DriveError` that makes it impossible.
 */
export async function finalise(uploadId: string, { pool, logger, skipLocked = false }: FinaliseOptions): Promise<Finalised | undefined> {
  try {
    return await inTransaction(pool, async (tx) => {
      const { rows } = await tx.query<UploadRow>(
        `SELECT ${UPLOAD_COLUMNS} FROM upload WHERE id = $1 FOR UPDATE ${skipLocked ? "SKIP LOCKED" : ""}`,
        [uploadId],
      );
      const upload = rows[0];
      if (upload === undefined || upload.role === "partial") return undefined;
      if (upload.state === "committed") return { entryId: upload.entryId!, isRelocated: false };
      if (upload.state !== "complete") return undefined;
      return await place(tx, upload, logger);
    });
  } catch (error) {
    if (error instanceof DomainError) await fail(pool, uploadId, error, logger);
    throw error;
  }
}

async function place(tx: pg.PoolClient, upload: UploadRow, logger: Logger): Promise<Finalised> {
  const { driveId, parentId, relativePath, name, mediaType, versionId, conflict } = upload;
  const placed = await placeVersion(tx, {
    driveId,
    parentId: parentId!,
    relativePath,
    name,
    mediaType,
    versionId,
    sizeBytes: upload.offset,
    conflict,
  });
  if (placed.outcome === "skipped") await tx.query("DELETE FROM extent WHERE version_id = $1", [versionId]);
  await tx.query("UPDATE upload SET state = 'committed', entry_id = $2, updated_at = now() WHERE id = $1", [upload.id, placed.entryId]);
  const { entryId, outcome, isRelocated } = placed;
  logger.info({ uploadId: upload.id, entryId, outcome, isRelocated, sizeBytes: upload.offset }, "upload committed");
  return { entryId, isRelocated };
}

async function fail(pool: pg.Pool, uploadId: string, { code, message }: DomainError, logger: Logger): Promise<void> {
  await pool.query(
    `WITH failed AS (
       UPDATE upload SET state = 'failed', failure = $2, updated_at = now() WHERE id = $1 AND state = 'complete' RETURNING version_id
     )
     DELETE FROM extent USING failed WHERE extent.version_id = failed.version_id`,
    [uploadId, message],
  );
  logger.warn({ uploadId, code }, "upload failed");
}
