/** Deletes forever what has been in a trash for long. One runs in every gateway; what one has deleted, another finds gone. */
import type pg from "pg";
import { createWorker, type Worker } from "../background/index.ts";
import { limits, type Logger } from "../kernel/index.ts";
import type { Actor } from "./actor.ts";
import { emptyTrash } from "./deleting.ts";

export interface TrashSweeperOptions {
  pool: pg.Pool;
  logger: Logger;
  /** How long what was trashed stays. */
  keepMs: number;
  intervalMs?: number;
}

export function createTrashSweeper({ pool, logger, keepMs, intervalMs = limits.trashSweepIntervalMs }: TrashSweeperOptions): Worker {
  return createWorker({
    name: "trash-sweeper",
    intervalMs,
    onError: (error) => logger.warn({ err: error }, "old trash cannot be deleted"),
    async step(signal) {
      for (let drives = await oldest(pool, keepMs); drives.length > 0 && !signal.aborted; drives = await oldest(pool, keepMs)) {
        for (const { before, ...drive } of drives) {
          if (signal.aborted) return;
          await emptyTrash(pool, drive, { before, signal });
          logger.info({ driveId: drive.driveId, before }, "old trash was deleted forever");
        }
      }
    },
  });
}

const DRIVES_AT_ONCE = 100;

type OldTrash = Pick<Actor, "driveId" | "rootId"> & { before: Date };

/** Drives whose trash holds anything that old. */
async function oldest(pool: pg.Pool, keepMs: number): Promise<OldTrash[]> {
  const { rows } = await pool.query<OldTrash>(
    `SELECT DISTINCT entry.drive_id AS "driveId", root.id AS "rootId", before
       FROM (SELECT date_trunc('milliseconds', now()) - $1::bigint * interval '1 millisecond' AS before) AS keep
       JOIN entry ON entry.trashed_at <= before JOIN entry AS root ON root.drive_id = entry.drive_id AND root.parent_id IS NULL
      LIMIT $2`,
    [keepMs, DRIVES_AT_ONCE],
  );
  return rows;
}
