/**
 * The controller: hears the nodes, judges which are up, and keeps what a chart needs.
 *
 * Nothing of it is on the path of a user's bytes. While it is away no health changes and nothing heals; reading and writing
 * go on with what the node table last said. It keeps only one thing in memory, who was heard when, and a new controller
 * starts that from nothing. Its database may come later than itself: calls are answered UNAVAILABLE until then.
 */
import type pg from "pg";
import { createWorker, type WorkerStatus } from "../background/index.ts";
import { recordSamples, removeOldSamples, thinSamples } from "../capacity-history/index.ts";
import { createFailureDetector, detectionLimits, type FailureDetector } from "../failure-detection/index.ts";
import { HOUR_MS, limits, type Logger, SECOND_MS } from "../kernel/index.ts";
import { recordHeartbeat, registerNode } from "../membership/index.ts";
import { ControllerService, type ServiceHandlers } from "../protocol/index.ts";
import { startGrpcServer } from "./grpc-server.ts";
import { parseHeartbeat, parseRegistration } from "./requests.ts";

export interface ControllerOptions {
  pool: pg.Pool;
  clusterKey: string;
  bind: string;
  /** 0 takes any free port. */
  port: number;
  heartbeatIntervalMs: number;
  downAfterMs: number;
  logger: Logger;
}

export interface Controller {
  port: number;
  /** Whether this controller has heard a node since it started. */
  hasHeard(nodeId: number): boolean;
  workers(): WorkerStatus[];
  stop(): Promise<void>;
}

/** Rejects with an `EnvironmentError` when the port cannot be had or the two times cannot work together. */
export async function startController(options: ControllerOptions): Promise<Controller> {
  const { pool, heartbeatIntervalMs, downAfterMs, logger } = options;
  const detector = createFailureDetector(pool, detectionLimits(heartbeatIntervalMs, downAfterMs));
  const workers = backgroundWorkers(options, detector);
  const server = await startGrpcServer(ControllerService, nodeCalls(options, detector), options);
  for (const worker of workers) await worker.start();
  logger.info({ port: server.port }, "the controller listens");
  return {
    port: server.port,
    hasHeard: (nodeId) => detector.hasHeard(nodeId),
    workers: () => workers.map((worker) => worker.status()),
    async stop() {
      await server.stop();
      await Promise.all(workers.map((worker) => worker.stop()));
    },
  };
}

function nodeCalls(
  { pool, heartbeatIntervalMs, logger }: ControllerOptions,
  detector: FailureDetector,
): ServiceHandlers<typeof ControllerService> {
  return {
    async registerNode(request) {
      const registration = parseRegistration(request);
      const { nodeId, clusterId } = await registerNode(pool, registration);
      detector.heard(nodeId);
      await recordSamples(pool, nodeId);
      logger.info({ nodeId, name: registration.name, boot: registration.bootId }, "a node registered");
      return { nodeId, clusterId, heartbeatIntervalMs };
    },
    async heartbeat(request) {
      const { nodeId, fresh } = await recordHeartbeat(pool, parseHeartbeat(request));
      if (fresh) detector.heard(nodeId);
      return { heartbeatIntervalMs };
    },
  };
}

function backgroundWorkers({ pool, heartbeatIntervalMs, logger }: ControllerOptions, detector: FailureDetector) {
  const worker = (name: string, intervalMs: number, step: () => Promise<void>) =>
    createWorker({
      name,
      intervalMs,
      step,
      onError: (error) => logger.error({ err: error, worker: name }, "a worker fails; it will try again"),
    });
  return [
    worker("failure-detection", Math.min(heartbeatIntervalMs / 5, SECOND_MS), async () => {
      for (const change of await detector.step()) logger.warn(change, "a node's health changed");
    }),
    worker("capacity-samples", limits.nodeSampleIntervalMs, () => recordSamples(pool)),
    worker("capacity-thinning", HOUR_MS, async () => {
      await thinSamples(pool);
      await removeOldSamples(pool);
    }),
  ];
}
