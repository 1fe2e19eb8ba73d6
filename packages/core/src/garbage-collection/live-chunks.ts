import { inTransaction } from "@holdfast/db";
import type pg from "pg";
import { limits } from "../kernel/index.ts";

/** Reads the whole table. */
export async function countLiveChunks(pool: pg.Pool): Promise<number> {
  const count = (tx: pg.PoolClient) => tx.query<{ count: number }>("SELECT count(*) FROM chunk WHERE state = 'live'");
  return (await inTransaction(pool, count, { statementTimeoutMs: limits.databaseLongStatementMs })).rows[0]!.count;
}
