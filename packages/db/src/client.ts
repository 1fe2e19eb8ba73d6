/**
 * The one door to PostgreSQL of a process: a `pg` pool, and a Prisma client on the same pool.
 *
 * Prisma is for what people do (accounts, folders, settings). What happens per chunk goes through named queries on the
 * pool: an ORM's milliseconds are nothing to a person, and everything to a byte path.
 */
import { PrismaPg } from "@prisma/adapter-pg";
import pg from "pg";
import { PrismaClient } from "./generated/client.ts";

// Sizes and offsets are bigint columns, all below 2^53: JavaScript numbers hold them exactly.
pg.types.setTypeParser(pg.types.builtins.INT8, Number);

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
  onError: (error: Error) => void;
}

/** Connects lazily: a database that is down now is an error of the first query, not of this call. */
export function openDatabase(url: string, { connectionsMax = 20, connectTimeoutMs = 5_000, onError }: DatabaseOptions): Database {
  const pool = new pg.Pool({ connectionString: url, max: connectionsMax, connectionTimeoutMillis: connectTimeoutMs, keepAlive: true });
  pool.on("error", onError); // an idle connection that broke; the pool makes another when it is needed
  // One that breaks while somebody works with it says so to that work; without a listener it would end the process as well.
  pool.on("connect", (client) => void client.on("error", () => undefined));
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

/** Runs `work` in one transaction on one connection; commits when it returns, rolls back when it throws. */
export async function inTransaction<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query("BEGIN");
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
