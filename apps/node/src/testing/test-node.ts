import { randomUUID } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ChunkStore, NEW_DISK_STORE } from "@holdfast/core/chunk-store";
import type { ChunkId } from "@holdfast/core/chunking";
import { createLogger } from "@holdfast/core/kernel";
import { createNodeClients, type NodeAddress, type NodeCommands } from "@holdfast/core/node-client";
import { openIdentity } from "@holdfast/core/node-registration";
import type { NodeSettings } from "../env.ts";
import { startStorageNode } from "../storage-node.ts";

export const CLUSTER_KEY = "test-cluster-key-test-cluster-key";

export interface TestNode {
  port: number;
  grpcPort: number;
  /** `<data>/nodes/node-1`. */
  directory: string;
  address: NodeAddress;
  client: ChunkStore;
  commands: NodeCommands;
  /** Flips a bit of the chunk on the disk, held or in the trash; of one chunk at a time. */
  damage(id: ChunkId): Promise<void>;
  /** Stops it and removes its data. */
  drop(): Promise<void>;
}

export function nodeAddress(port: number): NodeAddress {
  return { id: 1, host: "127.0.0.1", port };
}

/** A real server on a real directory, in this process. Nobody answers at its controller's address. */
export async function startTestNode({ store = NEW_DISK_STORE, ...changes }: Partial<NodeSettings> = {}): Promise<TestNode> {
  const data = mkdtempSync(join(tmpdir(), "holdfast-node-"));
  const settings: NodeSettings = {
    name: "node-1",
    directory: await joinedDirectory(data, { store }),
    clusterKey: CLUSTER_KEY,
    bind: "127.0.0.1",
    host: "127.0.0.1",
    port: 0,
    grpcPort: 0,
    zone: "default",
    store,
    reserveBytes: 0,
    scrubBytesPerSecond: undefined,
    controllerAddresses: ["127.0.0.1:1"],
    simulateFaults: true,
    logLevel: "silent",
    ...changes,
  };
  const node = await startStorageNode(settings, createLogger("test", "silent"));
  const clients = createNodeClients({ clusterKey: CLUSTER_KEY });
  const address = nodeAddress(node.port);
  return {
    port: node.port,
    grpcPort: node.grpcPort,
    directory: settings.directory,
    address,
    client: clients.clientFor(address),
    commands: clients.commandsFor(address),
    damage: (id) => clients.commandsFor(address).simulate({ kind: "corrupt", ids: [id], chunks: 1, seconds: 600 }),
    async drop() {
      await clients.close();
      await node.stop();
      rmSync(data, { recursive: true });
    },
  };
}

/** A node's directory below `data` whose disk has joined a cluster before. */
export async function joinedDirectory(data: string, { store = NEW_DISK_STORE } = {}): Promise<string> {
  const directory = join(data, "nodes", "node-1");
  mkdirSync(directory, { recursive: true });
  const marker = await openIdentity(directory, store);
  await marker.complete({ clusterId: randomUUID(), nodeId: 1 });
  return directory;
}
