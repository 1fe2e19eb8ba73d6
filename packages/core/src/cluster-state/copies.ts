import { inTransaction } from "@holdfast/db";
import type pg from "pg";
import { type Clock, limits, SECOND_MS } from "../kernel/index.ts";

/** Chunks that are all kept by the same nodes. There are few such sets, however many chunks there are. */
export interface CopyGroup {
  /** Node numbers. */
  replicas: number[];
  /** Written within the last seconds: a copy that is missing is most likely on its way. */
  settling: boolean;
  count: number;
}

export interface CopyCount {
  groups: CopyGroup[];
  countedAt: Date;
}

const COUNT_INTERVAL_MS = 2 * SECOND_MS;
const COUNTING_SHARE_MAX = 1 / 20;
const SETTLING = "10 seconds";

/**
 * Counts the live chunks by the set of nodes that keep them. A count reads the whole table, so the next one waits until
 * counting takes no more than a twentieth of the time: two seconds for a small cluster, minutes for a huge one. Which of
 * those nodes are within reach is asked anew each time by whoever uses the count, so that a node's death shows at once.
 */
export function createCopyCounter(pool: pg.Pool, clock: Clock): () => Promise<CopyCount> {
  let last: CopyCount | undefined;
  let dueAtMs = 0;
  return async () => {
    const startedAtMs = clock.monotonicMs();
    if (last !== undefined && startedAtMs < dueAtMs) return last;
    last = { groups: await countCopies(pool), countedAt: clock.now() };
    const tookMs = clock.monotonicMs() - startedAtMs;
    dueAtMs = clock.monotonicMs() + Math.max(COUNT_INTERVAL_MS, tookMs / COUNTING_SHARE_MAX);
    return last;
  };
}

async function countCopies(pool: pg.Pool): Promise<CopyGroup[]> {
  const count = (tx: pg.PoolClient): Promise<pg.QueryResult<CopyGroup>> =>
    tx.query(
      `SELECT replicas, created_at > now() - $1::interval AS settling, count(*)
         FROM chunk WHERE state = 'live' GROUP BY replicas, settling`,
      [SETTLING],
    );
  return (await inTransaction(pool, count, { statementTimeoutMs: limits.databaseLongStatementMs })).rows;
}
