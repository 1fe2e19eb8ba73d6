import { inTransaction } from "@holdfast/db";
import type pg from "pg";
import { limits } from "../kernel/index.ts";
import type { Findings } from "./finding.ts";
import { RULES } from "./rules.ts";

const FETCHED_AT_ONCE = 1_000;

/** Each rule is one statement and so of one moment, while the cluster goes on. Returns what was looked at. */
export async function checkRows(pool: pg.Pool, findings: Findings): Promise<{ chunks: number; versions: number }> {
  const check = async (tx: pg.PoolClient) => {
    await tx.query("SET TRANSACTION READ ONLY");
    for (const { kind, query } of RULES) {
      for await (const { subject, message } of rowsOf(tx, query)) findings.add({ kind, subject, message });
    }
    const { rows } = await tx.query<{ chunks: number; versions: number }>(
      "SELECT (SELECT count(*) FROM chunk WHERE state = 'live') AS chunks, (SELECT count(*) FROM version WHERE state = 'committed') AS versions",
    );
    return rows[0]!;
  };
  return await inTransaction(pool, check, { statementTimeoutMs: limits.databaseLongStatementMs });
}

/** However many there are, few are in memory. */
async function* rowsOf(tx: pg.PoolClient, query: string): AsyncGenerator<{ subject: string; message: string }> {
  await tx.query(`DECLARE broken NO SCROLL CURSOR FOR ${query}`);
  for (;;) {
    const { rows } = await tx.query<{ subject: string; message: string }>(`FETCH ${FETCHED_AT_ONCE} FROM broken`);
    if (rows.length === 0) break;
    yield* rows;
  }
  await tx.query("CLOSE broken");
}
