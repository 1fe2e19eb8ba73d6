/**
 * A storage node: one directory of chunks, a server for them, and a place in a cluster.
 *
 * It knows chunks, never files or users, and needs nobody to serve them: once its disk is stamped with a cluster it answers
 * while the controller and the database are away. Before that it takes none, for there would be nobody to whom they belong.
 */
import { mkdirSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { MigratingChunkStore, moveChunks, openChunkStore } from "@holdfast/core/chunk-store";
import { asksForChunkStream } from "@holdfast/core/chunk-transport";
import { startHttpServer } from "@holdfast/core/http-edge";
import { limits, type Logger, systemClock } from "@holdfast/core/kernel";
import { createNodeClients } from "@holdfast/core/node-client";
import {
  connectController,
  createLatencyMeter,
  diskDevice,
  macAddress,
  type NodeIdentity,
  type NodeVitals,
  openIdentity,
  type Registration,
  startRegistration,
} from "@holdfast/core/node-registration";
import { createScrub, Pace } from "@holdfast/core/scrub";
import { lockDirectory, type RunningService } from "@holdfast/core/service";
import manifest from "../package.json" with { type: "json" };
import { type ChunkMemory, createChunkMemory, isServing } from "./chunk-memory.ts";
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
import { createChunkStreams } from "./transport/chunk-streams.ts";

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
  const parts = await openParts(settings, logger, undo);
  const ports = await openDoors(parts, settings, logger, undo);
  const registration = join(parts, ports, settings, logger, undo);
  logger.info({ ...ports, directory: settings.directory, ...(await parts.store.stats()) }, "serving chunks");
  return { ...ports, refused: registration.ended, stop: () => undo.disposeAsync() };
}

type Parts = Awaited<ReturnType<typeof openParts>>;

interface Ports {
  port: number;
  grpcPort: number;
}

/** The store and what works on it. */
async function openParts(settings: NodeSettings, logger: Logger, undo: AsyncDisposableStack) {
  const { directory, reserveBytes, scrubBytesPerSecond } = settings;
  const marker = await openIdentity(directory, settings.store);
  const kind = settings.store ?? marker.current.store;
  const disk = await openChunkStore(kind, { directory, reserveBytes, logger });
  undo.defer(() => disk.close());
  await marker.keepAs(kind);
  const faults = new NodeFaults({ store: disk, logger });
  undo.defer(() => faults.recover());
  const store = withFaults(disk, faults);

  const memory = createChunkMemory();
  const migrating = disk instanceof MigratingChunkStore ? disk : undefined;
  if (migrating !== undefined) undo.defer(migrate(migrating, memory, logger));
  const clients = createNodeClients({ clusterKey: settings.clusterKey });
  undo.defer(() => clients.close());
  const replicate = createReplication({ store, clients, memory: memory.healing });
  const scrub = createScrub({
    store,
    directory,
    memory: memory.scrubbing,
    bytesPerSecond: scrubBytesPerSecond,
    isBusy: () => isServing(memory),
    logger,
  });
  undo.defer(() => scrub.stop());
  const latencies = { write: createLatencyMeter(), read: createLatencyMeter() };
  return { marker, faults, store, migrating, memory, epochs: new EpochMemory(directory), replicate, scrub, latencies };
}

/** Returns what stops it. */
function migrate(store: MigratingChunkStore, memory: ChunkMemory, logger: Logger): () => Promise<void> {
  const turns = new Pace(() => isServing(memory), systemClock);
  const pace = (bytes: number, signal: AbortSignal): Promise<void> => turns.take(bytes, Number.POSITIVE_INFINITY, signal);
  return moveChunks({ store, memory: memory.scrubbing, pace, logger });
}

/** HTTP and gRPC. */
async function openDoors(parts: Parts, settings: NodeSettings, logger: Logger, undo: AsyncDisposableStack): Promise<Ports> {
  const { marker, faults, store, migrating, memory } = parts;
  const { name, zone, bind, clusterKey } = settings;
  const requireJoined = (): void => joined(marker.current);
  const facts = { name, zone, version: manifest.version, identity: () => marker.current, migration: async () => migrating?.progress() };
  const streams = createChunkStreams({ ...parts, clusterKey, requireJoined, logger });
  const routes = [
    ...reportRoutes(store, facts),
    ...chunkRoutes({ ...parts, requireJoined }),
    streams.route,
    ...commandRoutes({ ...parts, memory: memory.healing, lost: (after, limit) => store.lost(after, limit), requireJoined }),
    ...simulationRoutes(faults, settings.simulateFaults),
  ];
  const server = await startHttpServer({
    port: settings.port,
    portSetting: "HOLDFAST_NODE_PORT",
    bind,
    handler: reachableUnlessCutOff(createNodeHandler(routes, clusterKey), faults),
    upgrades: asksForChunkStream,
    logger: requestLogger(logger, settings.logLevel),
    idleTimeoutMs: limits.nodeRequestTimeoutMs,
  });
  undo.defer(() => Promise.all([server.stop(), streams.stop()]).then(() => undefined));

  const admit = (): void => {
    requireReachable(faults);
    requireJoined();
  };
  const listening = { bind, clusterKey, logger, port: settings.grpcPort, httpPort: settings.port };
  const grpcServer = await startStorageService(createStorageService({ ...parts, admit }), listening);
  undo.defer(() => grpcServer.stop());
  return { port: server.address.port, grpcPort: grpcServer.port };
}

/** Makes the node known to its controllers, and keeps it so. */
function join(parts: Parts, { port, grpcPort }: Ports, settings: NodeSettings, logger: Logger, undo: AsyncDisposableStack): Registration {
  const { marker, faults, store, latencies, scrub } = parts;
  const controller = controllerUnlessCutOff(connectController(settings.controllerAddresses, settings.clusterKey), faults);
  undo.defer(() => controller.close());
  const { name, host, zone } = settings;
  const node = { name, host, port, zone, mac: macAddress(host, networkInterfaces()), version: manifest.version };
  const device = diskDevice(settings.directory);
  const vitals = async (): Promise<NodeVitals> => ({
    ...(await store.stats()),
    device,
    writeLatencyMs: latencies.write.typicalMs(),
    readLatencyMs: latencies.read.typicalMs(),
    grpcPort,
    scrubProgress: scrub.status().progress,
    scrubbedAt: scrub.status().lastFinishedAt,
  });
  const registration = startRegistration({ controller, marker, node, vitals, logger });
  undo.defer(() => registration.stop());
  return registration;
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
