/** The Drive's process, wired: the gateway for bytes, the API, and Next behind them. */
import { fileURLToPath } from "node:url";
import { createAccounts } from "@holdfast/core/accounts";
import { createChunkReader, createDownloads, recordBadCopies } from "@holdfast/core/download";
import { createContentFinder, createTrashSweeper } from "@holdfast/core/drive";
import { reportFelt } from "@holdfast/core/foreground";
import { startHttpServer } from "@holdfast/core/http-edge";
import { DAY_MS, limits, type Logger, systemClock } from "@holdfast/core/kernel";
import { createMembershipCache } from "@holdfast/core/membership";
import { createNodeClients } from "@holdfast/core/node-client";
import { createNodeStandings } from "@holdfast/core/node-standing";
import { createRepacker } from "@holdfast/core/repacking";
import { createChunkReplicator } from "@holdfast/core/replication";
import type { RunningService } from "@holdfast/core/service";
import { createSettingsCache } from "@holdfast/core/topology";
import { createUploads } from "@holdfast/core/upload";
import { openDatabase } from "@holdfast/db";
import next from "next";
import type { DriveEnvironment } from "./env.ts";
import { prepare } from "./preparation.ts";
import { createRoutes } from "./routes.ts";
import type { DriveServices } from "./services.ts";

const directory = fileURLToPath(new URL("../..", import.meta.url));

export async function startDrive(env: DriveEnvironment, logger: Logger): Promise<RunningService> {
  const database = openDatabase(env.DATABASE_URL, {
    keyedOnly: true,
    statementTimeoutMs: limits.databaseStatementMs,
    onError: (error) => logger.warn({ err: error }, "a database connection broke"),
  });
  const { pool } = database;
  const membership = createMembershipCache({
    pool,
    onError: (error) => logger.warn({ err: error }, "the nodes could not be read; the last view stands"),
  });
  const clients = createNodeClients({ clusterKey: env.HOLDFAST_CLUSTER_KEY });
  const standings = createNodeStandings({ membership, clock: systemClock });
  const feeling = reportFelt({
    pool,
    felt: () => standings.felt(),
    onError: (error) => logger.warn({ err: error }, "what users feel could not be told; healing goes on without regard"),
  });
  const replicas = env.HOLDFAST_REPLICAS;
  const writeQuorum = env.HOLDFAST_WRITE_QUORUM;
  const ordered = createSettingsCache({
    pool,
    replicas,
    writeQuorum,
    onError: (error) => logger.warn({ err: error }, "the cluster's settings could not be read; the last ones stand"),
  });
  const replication = { membership, clients, replicas, writeQuorum, orders: () => ordered.settings(), logger };
  const replicator = createChunkReplicator({ ...replication, standings });
  const uploads = createUploads({ database, replicator, membership, chunkBytes: env.HOLDFAST_CHUNK_BYTES, logger });
  const downloads = createDownloads({ pool, membership, clients, standings, logger });
  const unfelt = createNodeStandings({ membership, clock: systemClock }); // no user waits for what is repacked
  const repackReader = createChunkReader({ membership, clients, standings: unfelt, onBadCopy: recordBadCopies({ pool, logger }) });
  const repacker = createRepacker({
    pool,
    read: (chunk, options) => repackReader.read(chunk, options),
    replicator: createChunkReplicator({ ...replication, standings: unfelt }),
    graceMs: env.HOLDFAST_GC_GRACE_MS,
    logger,
  });
  const trustProxy = env.HOLDFAST_TRUST_PROXY;
  const accounts = createAccounts({ database, secret: env.HOLDFAST_AUTH_SECRET, logger, signUp: env.HOLDFAST_SIGN_UP, trustProxy });

  const owner = { email: env.HOLDFAST_OWNER_EMAIL, password: env.HOLDFAST_OWNER_PASSWORD };
  const preparation = await prepare({ database, accounts, owner, logger });
  await membership.start();
  await ordered.start();
  await feeling.start();
  const trashKeepDays = env.HOLDFAST_TRASH_KEEP_DAYS;
  const trashSweeper = createTrashSweeper({ pool, logger, keepMs: trashKeepDays * DAY_MS });
  if (trashKeepDays > 0) void trashSweeper.start(); // its first pass may take long
  await uploads.start();
  void repacker.start(); // likewise

  const pages = next({ dev: env.HOLDFAST_DEV, dir: directory, hostname: env.HOLDFAST_BIND, port: env.HOLDFAST_WEB_PORT });
  await pages.prepare();
  const policies = { replicas, trashKeepDays, trustProxy };
  const findContent = createContentFinder(pool);
  const services: DriveServices = { database, accounts, membership, findContent, uploads, downloads, preparation, logger, ...policies };
  const server = await startHttpServer({
    port: env.HOLDFAST_WEB_PORT,
    bind: env.HOLDFAST_BIND,
    portSetting: "HOLDFAST_WEB_PORT",
    dev: env.HOLDFAST_DEV,
    trustProxy,
    handler: createRoutes(services, pages.getRequestHandler()),
    logger,
  });
  return {
    async stop() {
      await Promise.all([server.stop(), uploads.stop(), trashSweeper.stop(), repacker.stop()]);
      await Promise.all([preparation.stop(), membership.stop(), ordered.stop(), feeling.stop(), clients.close(), pages.close()]);
      await database.close();
    },
  };
}
