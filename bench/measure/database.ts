/** What the very PostgreSQL of a cluster can commit, in rows per second. */
import { randomBytes } from "node:crypto";
import { limits } from "@holdfast/core/kernel";
import { type Database, openDatabase } from "@holdfast/db";
import { keepDoing } from "./meter.ts";

const CONNECTIONS = 16;
const BATCH_ROWS = 256;
const SECONDS = 2;
const ID_BYTES = 32;

export interface CommitRates {
  /** One row a transaction, on 16 connections. */
  single: number;
  /** 256 rows a transaction, on 4 connections. */
  batched: number;
}

export async function measureCommits({ pool }: Pick<Database, "pool">): Promise<CommitRates> {
  await pool.query("CREATE TABLE bench_limit (id bytea PRIMARY KEY, length int NOT NULL, replicas smallint[] NOT NULL)");
  const single = { name: "limit-single", text: "INSERT INTO bench_limit VALUES ($1, 4194304, '{1,2,3}')" };
  const batched = { name: "limit-batched", text: "INSERT INTO bench_limit SELECT id, 4194304, '{1,2,3}' FROM unnest($1::bytea[]) id" };
  const ids = (): Buffer[] => Array.from({ length: BATCH_ROWS }, () => randomBytes(ID_BYTES));
  try {
    const singles = await keepDoing(CONNECTIONS, SECONDS, () => pool.query({ ...single, values: [randomBytes(ID_BYTES)] }));
    const batches = await keepDoing(4, SECONDS, () => pool.query({ ...batched, values: [ids()] }));
    return { single: singles / SECONDS, batched: (batches * BATCH_ROWS) / SECONDS };
  } finally {
    await pool.query("DROP TABLE bench_limit");
  }
}

/** For statements that may take long, such as those that make a million rows. */
export async function withDatabase<T>(url: string, work: (database: Database) => Promise<T>): Promise<T> {
  const database = openDatabase(url, { statementTimeoutMs: limits.databaseLongStatementMs, onError: () => undefined });
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}
