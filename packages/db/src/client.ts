/**
 * The one door to PostgreSQL of a process: a `pg` pool, and a Prisma client on the same pool.
 *
 * Prisma is for what people do (accounts, folders, settings). What happens per chunk goes through named queries on the
 * pool: an ORM's milliseconds are nothing to a person, and everything to a byte path.
 *
 * A server that is frozen keeps its connections open and answers nothing. So a statement has two deadlines: the server's own,
 * which leaves the connection usable, and a little later ours, for a server that cannot keep it. Then the connection breaks,
 * and whoever waits learns what he would learn from a server that is gone.
 */
import type { Socket } from "node:net";
import { PrismaPg } from "@prisma/adapter-pg";
import pg from "pg";
import { PrismaClient } from "./generated/client.ts";

// Sizes and offsets are bigint columns, all below 2^53: JavaScript numbers hold them exactly.
pg.types.setTypeParser(pg.types.builtins.INT8, Number);

const STATEMENT_TIMEOUT_MS = 30_000;
/** What the server's word that a statement took too long may need to reach us. */
const ANSWER_GRACE_MS = 3_000;

/** Older servers take what cannot but scan for so dear that they compile it. */
const KEYED_ONLY = "-c enable_seqscan=off -c jit=off -c plan_cache_mode=force_generic_plan";

export interface Database {
  readonly url: string;
  readonly prisma: PrismaClient;
  readonly pool: pg.Pool;
  close(): Promise<void>;
}

export interface DatabaseOptions {
  /** Connections of this process at most. */
  connectionsMax?: number;
  /** How long a request may wait for a connection before it fails as "database unavailable". */
  connectTimeoutMs?: number;
  /**
   * For a process that finds every row by a key, in tables that may grow a thousandfold before the server counts them again.
   * A plan that was made, and kept, for a handful of rows would read them all; so would the server's own for foreign keys. And
   * since there is but one way to what a key names, statements are not planned anew for what they are asked with.
   */
  keyedOnly?: boolean;
  /** How long one statement may take, and how long a transaction may leave the server waiting for the next one. */
  statementTimeoutMs?: number;
  onError: (error: Error) => void;
}

/** Connects lazily: a database that is down now is an error of the first query, not of this call. */
export function openDatabase(url: string, options: DatabaseOptions): Database {
  const { onError } = options;
  const pool = createPool(url, options);
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool, { disposeExternalPool: false, onPoolError: onError }) });
  return {
    url,
    prisma,
    pool,
    async close() {
      await prisma.$disconnect();
      await pool.end();
    },
  };
}

export interface TransactionOptions {
  /** Instead of the pool's own, for a transaction about very many rows. */
  statementTimeoutMs?: number;
}

/** Runs `work` in one transaction on one connection; commits when it returns, rolls back when it throws. */
export async function inTransaction<T>(
  pool: pg.Pool,
  work: (client: pg.PoolClient) => Promise<T>,
  { statementTimeoutMs }: TransactionOptions = {},
): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query("BEGIN");
    if (statementTimeoutMs !== undefined) await allowStatements(client, statementTimeoutMs);
    const result = await work(client);
    await client.query("COMMIT");
    return result;
  } catch (error) {
    await client.query("ROLLBACK").catch((rollbackError: Error) => (broken = rollbackError));
    throw error;
  } finally {
    client.release(broken); // a connection that could not roll back is thrown away
  }
}

/**
 * One transaction that travels in one go: what `ask` asks at once, between its begin and its commit. So nobody holds a lock
 * while an answer is on its way. Commits unless one of the questions fails, and rejects with that failure then; what `ask` makes
 * of the answers comes too late to undo anything.
 */
export async function inOneBreath<T>(pool: pg.Pool, ask: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  const asking = async (): Promise<T> => ask(client);
  const [begun, asked, committed] = await Promise.allSettled([client.query("BEGIN"), asking(), client.query("COMMIT")]);
  const broken = [begun, committed].find(({ status }) => status === "rejected");
  client.release(broken !== undefined); // one that could not even begin or end is thrown away
  if (asked.status === "rejected") throw asked.reason;
  if (broken?.status === "rejected") throw broken.reason;
  if (committed.status === "fulfilled" && committed.value.command !== "COMMIT") throw new Error("The transaction was rolled back.");
  return asked.value;
}

/** From now on this connection breaks when nothing moves on it for so long; with 0 it may be silent for ever. */
export function limitSilence(client: pg.ClientBase, silenceMs: number): void {
  const { stream } = (client as unknown as { connection: { stream: Socket } }).connection;
  stream.off("timeout", breakOff).setTimeout(silenceMs, breakOff);
}

function breakOff(this: Socket): void {
  this.destroy(Object.assign(new Error("The database keeps the connection open and says nothing."), { code: "ETIMEDOUT" }));
}

function createPool(url: string, options: DatabaseOptions): pg.Pool {
  const { connectionsMax = 20, connectTimeoutMs = 5_000, statementTimeoutMs = STATEMENT_TIMEOUT_MS, keyedOnly = false, onError } = options;
  const pool = new pg.Pool({
    connectionString: url,
    max: connectionsMax,
    connectionTimeoutMillis: connectTimeoutMs,
    statement_timeout: statementTimeoutMs,
    idle_in_transaction_session_timeout: statementTimeoutMs,
    keepAlive: true,
    ...(keyedOnly && { options: KEYED_ONLY }),
    pipeline: true, // what is asked of a connection in one breath travels together
  });
  pool.on("error", onError); // an idle connection that broke; the pool makes another when it is needed
  // One that breaks while somebody works with it says so to that work; without a listener it would end the process as well.
  pool.on("connect", (client) => void client.on("error", () => undefined));
  pool.on("acquire", (client) => limitSilence(client, statementTimeoutMs + ANSWER_GRACE_MS));
  pool.on("release", (_error, client) => limitSilence(client, 0));
  return pool;
}

async function allowStatements(client: pg.PoolClient, timeoutMs: number): Promise<void> {
  await client.query("SELECT set_config('statement_timeout', $1, true)", [String(timeoutMs)]);
  limitSilence(client, timeoutMs + ANSWER_GRACE_MS);
}
