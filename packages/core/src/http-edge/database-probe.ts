import { limitSilence } from "@holdfast/db";
import type pg from "pg";
import { SECOND_MS } from "../kernel/index.ts";

/** Whoever asks after our health has a deadline of his own, and it is seldom longer than a few seconds. */
const DEADLINE_MS = 2 * SECOND_MS;

/**
 * A question to the database that is answered soon: without an answer by the deadline it is rejected, like by a database that
 * is away. While it is open it is not asked again, or a frozen database would collect all our connections.
 */
export function createDatabaseProbe(
  pool: pg.Pool,
  ask: (client: pg.PoolClient) => Promise<unknown>,
  deadlineMs = DEADLINE_MS,
): () => Promise<void> {
  let asked: Promise<void> | undefined;
  return async () => {
    asked ??= askOn(pool, ask, deadlineMs).finally(() => (asked = undefined));
    let limit: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => (limit = setTimeout(() => reject(noAnswer()), deadlineMs)));
    await Promise.race([asked, late]).finally(() => clearTimeout(limit));
  };
}

async function askOn(pool: pg.Pool, ask: (client: pg.PoolClient) => Promise<unknown>, deadlineMs: number): Promise<void> {
  const client = await pool.connect();
  limitSilence(client, deadlineMs);
  let fault: Error | undefined;
  try {
    await ask(client);
  } catch (error) {
    fault = error as Error;
    throw error;
  } finally {
    client.release(fault);
  }
}

function noAnswer(): Error {
  return Object.assign(new Error("The database does not answer in time."), { code: "ETIMEDOUT" });
}
