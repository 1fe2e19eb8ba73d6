import { randomBytes } from "node:crypto";
import { MemoryChunkStore } from "@holdfast/core/chunk-store";
import { asksForChunkStream } from "@holdfast/core/chunk-transport";
import { chunkIdOf } from "@holdfast/core/chunking";
import { startHttpServer } from "@holdfast/core/http-edge";
import { createLogger, limits } from "@holdfast/core/kernel";
import { createNodeClients } from "@holdfast/core/node-client";
import { createLatencyMeter } from "@holdfast/core/node-registration";
import { expect, test } from "vitest";
import { createChunkMemory, isServing } from "../chunk-memory.ts";
import { createNodeHandler } from "../handler.ts";
import { CLUSTER_KEY, nodeAddress } from "../testing/index.ts";
import { createChunkStreams } from "../transport/chunk-streams.ts";
import { chunkRoutes } from "./chunks.ts";

const BYTES = randomBytes(300_000);
const ID = chunkIdOf(BYTES);

test.each([
  ["over HTTP", () => false],
  ["over chunk streams", asksForChunkStream],
])(
  "what another node reads for a copy %s is no user's load: it takes none of their memory, and does not count as a read of theirs",
  async (_how, upgrades) => {
    const memory = createChunkMemory();
    let isServingUsers: boolean | undefined;
    const store = new MemoryChunkStore();
    await store.put(ID, BYTES);
    const get = store.get.bind(store);
    store.get = (id, options) => {
      isServingUsers = isServing(memory);
      return get(id, options);
    };
    let reads = 0;
    const meter = createLatencyMeter();
    const read = { ...meter, measure: <T>(work: () => Promise<T>) => (reads++, work()) };
    const logger = createLogger("test", "silent");
    const access = { store, memory, latencies: { write: meter, read }, requireJoined: () => undefined };
    const streams = createChunkStreams({ ...access, clusterKey: CLUSTER_KEY, logger });
    const handler = createNodeHandler([...chunkRoutes(access), streams.route], CLUSTER_KEY);
    const server = await startHttpServer({ port: 0, portSetting: "", bind: "127.0.0.1", handler, upgrades, logger });
    const clients = createNodeClients({ clusterKey: CLUSTER_KEY });
    const address = nodeAddress(server.address.port);

    expect((await clients.sourceFor(address).get(ID)).equals(BYTES)).toBe(true);
    expect([isServingUsers, reads]).toEqual([false, 0]);
    expect((await clients.clientFor(address).get(ID)).equals(BYTES)).toBe(true);
    expect([isServingUsers, reads]).toEqual([true, 1]);

    const users = await Promise.all(
      Array.from({ length: limits.nodeSendBytes / limits.chunkBytesMax }, () => memory.sending.acquire(limits.chunkBytesMax)),
    );
    expect((await clients.sourceFor(address).get(ID)).equals(BYTES)).toBe(true);
    for (const buffer of users) buffer.release();
    await clients.close();
    await server.stop();
  },
);
