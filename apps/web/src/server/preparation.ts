/**
 * What must be true before anybody is served, and cannot be found out while the database is away.
 *
 * A database that is down when the Drive starts is an outage like any other: the process stays, says so, and goes on by
 * itself. Anything else that is wrong would stay wrong, so it ends the start.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Accounts, EnvironmentOwner } from "@holdfast/core/accounts";
import { HttpEdgeError, isDatabaseUnavailable } from "@holdfast/core/http-edge";
import { type Logger, SECOND_MS } from "@holdfast/core/kernel";
import { assertDurable, type Database, readMigrations } from "@holdfast/db";

export interface Preparation {
  /** Throws until everything is prepared: `service.starting`, or what else is in the way. */
  require(): void;
  stop(): Promise<void>;
}

export interface PreparationOptions {
  database: Database;
  accounts: Pick<Accounts, "prepareOwner">;
  owner: EnvironmentOwner;
  logger: Logger;
}

/** Resolves once it is prepared, or only waits for the database. Rejects with what waiting would not change. */
export async function prepare({ database, accounts, owner, logger }: PreparationOptions): Promise<Preparation> {
  const stopping = new AbortController();
  const { signal } = stopping;
  const attempt = async (): Promise<Error | undefined> => {
    try {
      await requireMigrations(database.pool);
      await assertDurable(database.pool);
      await accounts.prepareOwner(owner);
      return undefined;
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  };

  let obstacle = await attempt();
  if (obstacle !== undefined && !mayPass(obstacle)) throw obstacle;
  const goOn = async (): Promise<void> => {
    if (obstacle !== undefined) logger.warn({ err: obstacle }, "not ready to serve; waiting");
    while (obstacle !== undefined && !signal.aborted) {
      await delay(SECOND_MS, undefined, { signal }).catch(() => undefined); // ends early when told to stop
      obstacle = await attempt();
    }
  };
  const prepared = goOn();
  return {
    require() {
      if (obstacle !== undefined) throw obstacle;
    },
    async stop() {
      stopping.abort();
      await prepared;
    },
  };
}

/** Whoever starts the cluster applies the migrations; that may be happening right now. */
export async function requireMigrations(db: Pick<Database["pool"], "query">): Promise<void> {
  const wanted = readMigrations().map((migration) => migration.name);
  const { rows } = await db
    .query<{ name: string }>(
      `SELECT migration_name AS name FROM "_prisma_migrations" WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL`,
    )
    .catch((error: unknown) => {
      if (isMissingTable(error)) return { rows: [] };
      throw error;
    });
  const applied = new Set(rows.map((row) => row.name));
  const missing = wanted.filter((name) => !applied.has(name));
  if (missing.length === 0) return;
  throw new HttpEdgeError("service.starting", "The database lacks migrations of this version. They are applied when the cluster starts.", {
    missing,
  });
}

function mayPass(obstacle: unknown): boolean {
  return isDatabaseUnavailable(obstacle) || obstacle instanceof HttpEdgeError;
}

function isMissingTable(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "42P01";
}
