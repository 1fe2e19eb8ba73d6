/** The console's process, wired: the controller, the HTTP server, and Next behind it. */
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { createAccounts } from "@holdfast/core/accounts";
import { createClusterState } from "@holdfast/core/cluster-state";
import { startController } from "@holdfast/core/controller";
import { connectSupervisor, createFaultSimulation } from "@holdfast/core/fault-simulation";
import { isDatabaseUnavailable, startHttpServer } from "@holdfast/core/http-edge";
import { type Logger, SECOND_MS } from "@holdfast/core/kernel";
import { createNodeClients } from "@holdfast/core/node-client";
import type { RunningService } from "@holdfast/core/service";
import { applyMigrations, openDatabase } from "@holdfast/db";
import next from "next";
import type { ConsoleEnvironment } from "./env.ts";
import { createRoutes } from "./routes.ts";

const directory = fileURLToPath(new URL("../..", import.meta.url));

export async function startConsole(env: ConsoleEnvironment, logger: Logger): Promise<RunningService> {
  await migrate(env.DATABASE_URL, logger);
  const stopping = new AbortController();
  const database = openDatabase(env.DATABASE_URL, { onError: (error) => logger.warn({ err: error }, "a database connection broke") });
  const controller = await startController({
    pool: database.pool,
    clusterKey: env.HOLDFAST_CLUSTER_KEY,
    bind: env.HOLDFAST_BIND,
    port: env.HOLDFAST_CONTROLLER_PORT,
    heartbeatIntervalMs: env.HOLDFAST_HEARTBEAT_MS,
    downAfterMs: env.HOLDFAST_DOWN_AFTER_MS,
    replicas: env.HOLDFAST_REPLICAS,
    repairAfterMs: env.HOLDFAST_REPAIR_AFTER_MS,
    gcGraceMs: env.HOLDFAST_GC_GRACE_MS,
    logger,
  });
  const settings = { replicas: env.HOLDFAST_REPLICAS, writeQuorum: env.HOLDFAST_WRITE_QUORUM };
  const clusterState = createClusterState({
    pool: database.pool,
    ...settings,
    hasHeard: (nodeId) => controller.hasHeard(nodeId),
    downAfterMs: env.HOLDFAST_DOWN_AFTER_MS,
  });
  const nodes = createNodeClients({ clusterKey: env.HOLDFAST_CLUSTER_KEY });
  const simulation = createFaultSimulation({
    pool: database.pool,
    allowed: env.HOLDFAST_SIMULATE_FAULTS,
    supervisor: connectSupervisor(process),
    nodes,
  });
  const accounts = createAccounts({ database, secret: env.HOLDFAST_AUTH_SECRET, logger });
  const pages = next({ dev: env.HOLDFAST_DEV, dir: directory, hostname: env.HOLDFAST_BIND, port: env.HOLDFAST_ADMIN_PORT });
  await pages.prepare();
  const server = await startHttpServer({
    port: env.HOLDFAST_ADMIN_PORT,
    bind: env.HOLDFAST_BIND,
    portSetting: "HOLDFAST_ADMIN_PORT",
    dev: env.HOLDFAST_DEV,
    handler: createRoutes(
      { database, accounts, controller, clusterState, settings, simulation, logger, stopping: stopping.signal },
      pages.getRequestHandler(),
    ),
    logger,
  });
  return {
    async stop() {
      stopping.abort();
      await server.stop();
      await pages.close();
      await controller.stop();
      void nodes.close(); // not waited for: a paused node answers nothing
      await database.close();
    },
  };
}

/** The console brings the schema up to date; the Drive waits until it is. A database that is away is waited for. */
async function migrate(databaseUrl: string, logger: Logger): Promise<void> {
  for (;;) {
    try {
      const applied = await applyMigrations(databaseUrl);
      if (applied.length > 0) logger.info({ applied }, "migrations applied");
      return;
    } catch (error) {
      if (!isDatabaseUnavailable(error)) throw error;
      logger.warn({ err: error }, "waiting for the database");
      await delay(SECOND_MS);
    }
  }
}
