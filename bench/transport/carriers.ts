/** The ways to carry chunks to a node and back that were weighed against each other, each at its best. */
import { Agent, request } from "node:http";
import { type ChunkId, chunkIdOf } from "@holdfast/core/chunking";
import { limits } from "@holdfast/core/kernel";
import { createNodeClients } from "@holdfast/core/node-client";
import { httpStore } from "@holdfast/core/node-client/testing";
import { signRequest } from "@holdfast/core/request-signing";

export interface Carrier {
  name: string;
  put(id: ChunkId, bytes: Buffer): Promise<unknown>;
  /** Fills `into`. */
  get(id: ChunkId, into: Buffer): Promise<unknown>;
  close(): Promise<void>;
}

/** What gateways and nodes use. */
export function chunkStreams(port: number, clusterKey: string): Carrier {
  const clients = createNodeClients({ clusterKey });
  const store = clients.clientFor({ id: 1, host: "127.0.0.1", port });
  return {
    name: "chunk streams",
    put: (id, bytes) => store.put(id, bytes),
    get: (id, into) => store.get(id, { into }),
    close: () => clients.close(),
  };
}

/** What they use with a node that opens no streams. */
export function undiciPool(port: number, clusterKey: string): Carrier {
  const store = httpStore(`127.0.0.1:${port}`, clusterKey);
  return {
    name: "HTTP by undici",
    put: (id, bytes) => store.put(id, bytes),
    get: (id, into) => store.get(id, { into }),
    close: () => store.close(),
  };
}

export function nodeHttp(port: number, clusterKey: string): Carrier {
  const agent = new Agent({ keepAlive: true, maxSockets: limits.nodeConnectionsMax });
  const ask = (method: "GET" | "PUT", id: ChunkId, body?: Buffer): Promise<AsyncIterable<Buffer>> =>
    new Promise((resolve, reject) => {
      const path = `/chunks/${id}`;
      const headers = { ...signRequest(clusterKey, { method, path }), ...(body && { "content-length": body.length }) };
      request({ host: "127.0.0.1", port, agent, method, path, headers }, resolve).once("error", reject).end(body);
    });
  return {
    name: "HTTP by node:http",
    put: async (id, bytes) => await fill(await ask("PUT", id, bytes), Buffer.alloc(1_000)),
    get: async (id, into) => requireId(id, await fill(await ask("GET", id), into)),
    close: async () => agent.destroy(),
  };
}

async function fill(parts: AsyncIterable<Buffer>, into: Buffer): Promise<Buffer> {
  let filled = 0;
  for await (const part of parts) filled += part.copy(into, filled);
  return into.subarray(0, filled);
}

function requireId(id: ChunkId, bytes: Buffer): void {
  if (chunkIdOf(bytes) !== id) throw new Error("another chunk than was asked for");
}
