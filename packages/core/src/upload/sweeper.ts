/**
 * Finishes what nobody finished, and forgets what nobody came back for. One runs in every gateway; locks keep them apart.
 */
import { inTransaction } from "@holdfast/db";
import type pg from "pg";
import { createWorker, type Worker } from "../background/index.ts";
import { isDatabaseUnavailable } from "../http-edge/index.ts";
import { DomainError, limits, type Logger } from "../kernel/index.ts";
import { finalise } from "./finalise.ts";
import { deleteUploads } from "./upload-row.ts";

const BATCH = 100;

/** An upload is left to the request that completed it for this long. */
const GRACE_SECONDS = 2;

export interface SweeperOptions {
  pool: pg.Pool;
  logger: Logger;
  intervalMs?: number;
}

export function createUploadSweeper({ pool, logger, intervalMs = limits.uploadSweepIntervalMs }: SweeperOptions): Worker {
  return createWorker({
    name: "upload-sweeper",
    intervalMs,
    onError: (error) => logger.warn({ err: error }, "uploads cannot be swept"),
    async step(signal) {
      await finishComplete(pool, logger, signal);
      await forgetExpired(pool, logger, signal);
    },
  });
}

async function finishComplete(pool: pg.Pool, logger: Logger, signal: AbortSignal): Promise<void> {
  const { rows } = await pool.query<{ id: string }>(
    `SELECT id FROM upload WHERE state = 'complete' AND role <> 'partial' AND updated_at < now() - $1::int * interval '1 second'
      ORDER BY updated_at LIMIT $2`,
    [GRACE_SECONDS, BATCH],
  );
  for (const { id } of rows) {
    if (signal.aborted) return;
    try {
      await finalise(id, { pool, logger, skipLocked: true });
    } catch (error) {
      if (error instanceof DomainError) continue; // recorded as failed
      if (isDatabaseUnavailable(error)) throw error;
      logger.error({ err: error, uploadId: id }, "a complete upload cannot be finished");
      await pool.query("UPDATE upload SET updated_at = now() WHERE id = $1", [id]); // behind the others, which may fare better
    }
  }
}

async function forgetExpired(pool: pg.Pool, logger: Logger, signal: AbortSignal): Promise<void> {
  for (let forgotten = BATCH; forgotten === BATCH && !signal.aborted;) {
    forgotten = await inTransaction(pool, async (tx) => {
      const { rows } = await tx.query<{ id: string }>(
        `SELECT id FROM upload WHERE expires_at < now() AND (state <> 'complete' OR role = 'partial')
          ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED`,
        [BATCH],
      );
      await deleteUploads(
        tx,
        rows.map(({ id }) => id),
      );
      return rows.length;
    });
    if (forgotten > 0) logger.info({ forgotten }, "expired uploads forgotten");
  }
}
