/**
 * A storage node: one directory of chunks, a server for them, and a place in a cluster.
 *
 * It knows chunks, never files or users, and needs nobody to serve them: once its disk is stamped with a cluster it answers
 * while the controller and the database are away. Before that it takes none, for there would be nobody to whom they belong.
 */
import { mkdirSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { FileChunkStore } from "@holdfast/core/chunk-store";
import { startHttpServer } from "@holdfast/core/http-edge";
import { limits, type Logger } from "@holdfast/core/kernel";
import { createNodeClients } from "@holdfast/core/node-client";
import {
  connectController,
  createLatencyMeter,
  diskDevice,
  macAddress,
  type NodeIdentity,
  type NodeVitals,
  openIdentity,
  startRegistration,
} from "@holdfast/core/node-registration";
import { lockDirectory, type RunningService } from "@holdfast/core/service";
import manifest from "../package.json" with { type: "json" };
import { createChunkMemory } from "./chunk-memory.ts";
import type { NodeSettings } from "./env.ts";
import { EpochMemory } from "./epoch-memory.ts";
import { NodeError } from "./errors.ts";
import { createNodeHandler } from "./handler.ts";
import { createReplication } from "./replication.ts";
import { chunkRoutes } from "./routes/chunks.ts";
import { commandRoutes } from "./routes/commands.ts";
import { reportRoutes } from "./routes/reports.ts";
import { withFaults } from "./simulation/faulty-chunk-store.ts";
import { NodeFaults } from "./simulation/node-faults.ts";
import { controllerUnlessCutOff, reachableUnlessCutOff, requireReachable } from "./simulation/partition.ts";
import { simulationRoutes } from "./simulation/routes.ts";
import { startStorageService } from "./storage-service/listen.ts";
import { createStorageService } from "./storage-service/storage-service.ts";

export interface StorageNode extends RunningService {
  port: number;
  grpcPort: number;
  /** Rejects when the cluster will never accept this node; resolves when it was stopped. */
  readonly refused: Promise<void>;
}

/** Rejects with an `EnvironmentError` when the directory or the port cannot be used. Nothing stays behind. */
export async function startStorageNode(settings: NodeSettings, logger: Logger): Promise<StorageNode> {
  const undo = new AsyncDisposableStack();
  try {
    return await startParts(settings, logger, undo);
  } catch (error) {
    await undo.disposeAsync();
    throw error;
  }
}

async function startParts(settings: NodeSettings, logger: Logger, undo: AsyncDisposableStack): Promise<StorageNode> {
  mkdirSync(settings.directory, { recursive: true });
  undo.defer(await lockDirectory(settings.directory));

  const marker = await openIdentity(settings.directory, settings.store);
  const { directory, reserveBytes } = settings;
  const disk = await FileChunkStore.open({ directory, reserveBytes, logger });
  undo.defer(() => disk.close());
  const faults = new NodeFaults({ chunkPath: (id) => disk.chunkPath(id), logger });
  undo.defer(() => faults.recover());
  const store = withFaults(disk, faults);

  const facts = { name: settings.name, zone: settings.zone, version: manifest.version, identity: () => marker.current };
  const requireJoined = (): void => joined(marker.current);
  const memory = createChunkMemory();
  const clients = createNodeClients({ clusterKey: settings.clusterKey });
  undo.defer(() => clients.close());
  const epochs = new EpochMemory(directory);
  const replicate = createReplication({ store, clients, memory: memory.healing });
  const latencies = { write: createLatencyMeter(), read: createLatencyMeter() };
  const routes = [
    ...reportRoutes(store, facts),
    ...chunkRoutes({ store, memory, latencies, requireJoined }),
    ...commandRoutes({ store, epochs, replicate, memory: memory.healing, requireJoined }),
    ...simulationRoutes(faults, settings.simulateFaults),
  ];
  const server = await startHttpServer({
    port: settings.port,
    portSetting: "HOLDFAST_NODE_PORT",
    bind: settings.bind,
    handler: reachableUnlessCutOff(createNodeHandler(routes, settings.clusterKey), faults),
    logger: requestLogger(logger, settings.logLevel),
    idleTimeoutMs: limits.nodeRequestTimeoutMs,
  });
  undo.defer(() => server.stop());

  const { port } = server.address;
  const admit = (): void => {
    requireReachable(faults);
    requireJoined();
  };
  const service = createStorageService({ store, memory, latencies, epochs, replicate, admit });
  const { bind, clusterKey } = settings;
  const grpcServer = await startStorageService(service, { bind, clusterKey, logger, port: settings.grpcPort, httpPort: settings.port });
  undo.defer(() => grpcServer.stop());
  const grpcPort = grpcServer.port;

  const controller = controllerUnlessCutOff(connectController(settings.controllerAddresses, settings.clusterKey), faults);
  undo.defer(() => controller.close());
  const { name, host, zone } = settings;
  const node = { name, host, port, zone, mac: macAddress(host, networkInterfaces()), version: manifest.version };
  const device = diskDevice(directory);
  const vitals = async (): Promise<NodeVitals> => ({
    ...(await store.stats()),
    device,
    writeLatencyMs: latencies.write.typicalMs(),
    readLatencyMs: latencies.read.typicalMs(),
    grpcPort,
    scrubProgress: 0,
    scrubbedAt: undefined,
  });
  const registration = startRegistration({ controller, marker, node, vitals, logger });
  undo.defer(() => registration.stop());

  logger.info({ port, grpcPort, directory, ...(await store.stats()) }, "serving chunks");
  return { port, grpcPort, refused: registration.ended, stop: () => undo.disposeAsync() };
}

/** Throws until the cluster's mark is on the disk. */
function joined({ nodeId }: NodeIdentity): void {
  if (nodeId !== undefined) return;
  throw new NodeError("node.unregistered", "This node has not joined a cluster yet. It will when its controller answers.");
}

/** A line for each chunk written would be the bulk of a busy node's log; they are there at level debug. */
function requestLogger(logger: Logger, level: string): Logger {
  return level === "info" ? logger.child({}, { level: "warn" }) : logger;
}
