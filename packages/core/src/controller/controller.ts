/**
 * The controller: hears the nodes, judges which are up, and keeps what a chart needs.
 *
 * Nothing of it is on the path of a user's bytes. While it is away no health changes and nothing heals; reading and writing
 * go on with what the node table last said. Several may run on one database: one leads, hears the nodes and changes things;
 * the others refuse calls and wait. A leader keeps only one thing in memory, who was heard when, and the next one starts
 * that from nothing. Its database may come later than itself: calls are answered UNAVAILABLE until then.
 */
import { hostname } from "node:os";
import type pg from "pg";
import { createWorker, type Worker, type WorkerStatus } from "../background/index.ts";
import { recordSamples, removeOldSamples, thinSamples } from "../capacity-history/index.ts";
import { createFailureDetector, detectionLimits, type FailureDetector } from "../failure-detection/index.ts";
import { createHealing } from "../healing/index.ts";
import { HOUR_MS, limits, type Logger, SECOND_MS } from "../kernel/index.ts";
import { createLeadership, type Leadership, LeadershipError } from "../leadership/index.ts";
import { createMembershipCache, recordHeartbeat, registerNode, type Transact } from "../membership/index.ts";
import { createNodeClients, type NodeClients } from "../node-client/index.ts";
import { ControllerService, type ServiceHandlers, startGrpcServer } from "../protocol/index.ts";
import { createRebalancer } from "../topology/index.ts";
import { readFileMetadata } from "./file-metadata.ts";
import { grpcStatusOf } from "./grpc-status.ts";
import { parseFileMetadata, parseHeartbeat, parseRegistration, parseReplicaReport, parseUploadPlan } from "./requests.ts";
import { createReplicaReports } from "./stored-replicas.ts";
import { planUpload } from "./upload-plan.ts";
import { createUpkeep, type Upkeep, type UpkeepTask } from "./upkeep.ts";

export interface ControllerOptions {
  pool: pg.Pool;
  clusterKey: string;
  bind: string;
  /** 0 takes any free port. */
  port: number;
  heartbeatIntervalMs: number;
  downAfterMs: number;
  leaseMs?: number;
  /** Copies each chunk should have, until an operator says otherwise. */
  replicas?: number;
  /** How long a node that is down is awaited before its copies are replaced. */
  repairAfterMs?: number;
  /** How long garbage waits at each step of its way out. */
  gcGraceMs?: number;
  logger: Logger;
}

export interface Controller extends Pick<Upkeep, "safemode" | "inventory" | "garbage"> {
  port: number;
  leadership: Leadership;
  /** Whether this controller has heard a node since it leads; undefined while it does not lead, and hears nobody. */
  hasHeard(nodeId: number): boolean | undefined;
  workers(): WorkerStatus[];
  stop(): Promise<void>;
}

/** Rejects with an `EnvironmentError` when the port cannot be had or the two times cannot work together. */
export async function startController(options: ControllerOptions): Promise<Controller> {
  const reign = createReign(options);
  const workers = backgroundWorkers(options, reign);
  const clients = createNodeClients(options);
  const calls = { ...nodeCalls(options, reign), ...programCalls(options, reign, clients) };
  const server = await startGrpcServer(ControllerService, calls, {
    ...options,
    name: "The controller",
    portSetting: "HOLDFAST_CONTROLLER_PORT",
    statusOf: (error) => grpcStatusOf(error, options.logger),
  });
  await reign.leadership.start();
  for (const worker of workers) await worker.start();
  const mending = await startMending(options, reign, clients);
  logListening(options, server.port, reign);
  return {
    port: server.port,
    leadership: reign.leadership,
    ...mending.upkeep,
    hasHeard: (nodeId) => (reign.leadership.epoch() === undefined ? undefined : reign.detector.hasHeard(nodeId)),
    workers: () => [...[...workers, reign.leadership].map((worker) => worker.status()), ...mending.workers()],
    async stop() {
      await server.stop();
      await mending.stop();
      await Promise.all(workers.map((worker) => worker.stop()));
      await reign.leadership.stop();
      await clients.close();
    },
  };
}

/** Leading, and what is only true while it lasts. */
interface Reign {
  readonly leadership: Leadership;
  /** Changes happen in it, or not at all. */
  readonly transact: Transact;
  /** Of this reign alone: nobody is held to what another leader did not hear. */
  readonly detector: FailureDetector;
  /** Called when it begins. */
  onBegin: () => void;
}

function createReign({ pool, port, heartbeatIntervalMs, downAfterMs, leaseMs = limits.leaderLeaseMs, logger }: ControllerOptions): Reign {
  const times = detectionLimits(heartbeatIntervalMs, downAfterMs);
  const leadership: Leadership = createLeadership({
    pool,
    holderName: `The controller at ${hostname()}:${port} (process ${process.pid})`,
    leaseMs,
    onError: (error) => logger.error({ err: error, worker: "leadership" }, "the lease cannot be renewed; it will be tried again"),
    onChange(epoch) {
      logger.info({ epoch }, epoch === undefined ? "another controller may lead now" : "this controller leads");
      if (epoch === undefined) return;
      reign.detector = newDetector();
      reign.onBegin();
    },
  });
  const transact: Transact = (work) => leadership.fenced(work);
  const newDetector = (): FailureDetector => createFailureDetector(pool, transact, times);
  const reign = { leadership, transact, detector: newDetector(), onBegin: (): void => undefined };
  return reign;
}

/** What talks to the nodes, and changes where copies are. */
interface Mending {
  upkeep: Pick<Upkeep, "safemode" | "inventory" | "garbage">;
  workers(): WorkerStatus[];
  stop(): Promise<void>;
}

async function startMending(options: ControllerOptions, reign: Reign, clients: NodeClients): Promise<Mending> {
  const { pool, replicas = limits.replicas, repairAfterMs, logger } = options;
  const { leadership } = reign;
  const membership = createMembershipCache({ pool, onError: (error) => logger.warn({ err: error }, "the nodes could not be read") });
  const { tasks, ...upkeep } = createUpkeep({ ...options, leadership, clients, hasHeard: (nodeId) => reign.detector.hasHeard(nodeId) });
  const { safemode } = upkeep;
  reign.onBegin = () => safemode.enter();
  const healing = createHealing({ pool, leadership, membership, clients, safemode, replicas, repairAfterMs, logger });
  const { engine } = healing;
  const { writeQuorum, healingIntervalMs } = limits;
  const rebalancer = createRebalancer({ pool, leadership, membership, clients, safemode, engine, replicas, writeQuorum, logger });
  const rebalance: UpkeepTask = { name: "rebalance", intervalMs: healingIntervalMs, step: (signal) => rebalancer.step(signal) };
  const upkeepWorkers = [...tasks, rebalance].map((task) => leaderWorker(options, reign, task));
  await membership.start();
  await healing.start();
  for (const worker of upkeepWorkers) void worker.start(); // a step of theirs may take long
  return {
    upkeep,
    workers: () => [...healing.workers(), ...upkeepWorkers.map((worker) => worker.status())],
    async stop() {
      for (const worker of upkeepWorkers) void worker.stop(); // not waited for: without the lease their steps change nothing more
      await healing.stop();
      await membership.stop();
    },
  };
}

function logListening({ logger }: ControllerOptions, port: number, { leadership }: Reign): void {
  const epoch = leadership.epoch();
  logger.info({ port, epoch }, epoch === undefined ? "the controller listens, while another leads" : "the controller listens");
}

type Calls = ServiceHandlers<typeof ControllerService>;

function nodeCalls({ pool, heartbeatIntervalMs, logger }: ControllerOptions, reign: Reign): Pick<Calls, "registerNode" | "heartbeat"> {
  const { leadership, transact } = reign;
  return {
    async registerNode(request) {
      const registration = parseRegistration(request);
      const { detector } = reign;
      const { nodeId, clusterId } = await registerNode(transact, registration, (id) => detector.isGone(id));
      detector.heard(nodeId, registration.status.writeLatencyMs);
      await recordSamples(pool, nodeId);
      logger.info({ nodeId, name: registration.name, boot: registration.bootId }, "a node registered");
      return { nodeId, clusterId, heartbeatIntervalMs };
    },
    async heartbeat(request) {
      leadership.requireEpoch(); // a node must not be content with one that decides nothing
      const heartbeat = parseHeartbeat(request);
      const { nodeId, fresh } = await recordHeartbeat(pool, heartbeat);
      if (fresh) reign.detector.heard(nodeId, heartbeat.status.writeLatencyMs);
      return { heartbeatIntervalMs };
    },
  };
}

function programCalls(
  { pool, replicas = limits.replicas }: ControllerOptions,
  { leadership }: Reign,
  clients: NodeClients,
): Pick<Calls, "getUploadPlan" | "reportChunkStored" | "getFileMetadata"> {
  const recordReplicas = createReplicaReports({ pool, leadership, clients });
  return {
    getUploadPlan: async (request) => await planUpload(pool, parseUploadPlan(request), replicas),
    reportChunkStored: async (request) => ({ verdicts: await recordReplicas(parseReplicaReport(request)) }),
    async getFileMetadata(request) {
      const { versionId, fromOffset } = parseFileMetadata(request);
      return await readFileMetadata(pool, versionId, fromOffset);
    },
  };
}

function backgroundWorkers(options: ControllerOptions, reign: Reign): Worker[] {
  const { pool, heartbeatIntervalMs, logger } = options;
  const worker = (name: string, intervalMs: number, step: () => Promise<void>): Worker =>
    leaderWorker(options, reign, { name, intervalMs, step });
  return [
    worker("failure-detection", Math.min(heartbeatIntervalMs / 5, SECOND_MS), async () => {
      for (const change of await reign.detector.step()) logger.warn(change, "a node's health changed");
    }),
    worker("capacity-samples", limits.nodeSampleIntervalMs, () => recordSamples(pool)),
    worker("capacity-thinning", HOUR_MS, async () => {
      await thinSamples(pool);
      await removeOldSamples(pool);
    }),
  ];
}

function leaderWorker({ logger }: ControllerOptions, { leadership }: Reign, task: UpkeepTask): Worker {
  return createWorker({
    ...task,
    step: (signal) => whileLeading(leadership, () => task.step(signal)),
    onError: (error) => logger.error({ err: error, worker: task.name }, "a worker fails; it will try again"),
  });
}

/** To lose the lease in the middle of the work is an ordinary state, and nothing has happened then. */
async function whileLeading(leadership: Leadership, work: () => Promise<unknown>): Promise<void> {
  if (leadership.epoch() === undefined) return;
  try {
    await work();
  } catch (error) {
    if (!(error instanceof LeadershipError)) throw error;
  }
}
