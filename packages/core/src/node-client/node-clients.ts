/**
 * Storage nodes as a gateway, or another node, sees them: chunk stores at the other end of a connection.
 *
 * One pool of plain HTTP/1.1 connections per address, kept. Whole buffers in both directions: streams and `fetch` cost
 * several times the bytes' own price. Nothing is retried here, because only the caller knows whether another node is the
 * better second try.
 */
import { Pool } from "undici";
import type { ChunkStore } from "../chunk-store/index.ts";
import { limits } from "../kernel/index.ts";
import type { NodeSnapshot } from "../membership/index.ts";
import { HttpChunkStore } from "./http-chunk-store.ts";

export type NodeAddress = Pick<NodeSnapshot, "id" | "host" | "port">;

export interface NodeClients {
  /** Costs nothing to ask again; connects at its first use. The store is shared, so its `close` is left to `close` below. */
  clientFor(node: NodeAddress): ChunkStore;
  /** Waits for requests under way. */
  close(): Promise<void>;
}

export function createNodeClients({ clusterKey }: { clusterKey: string }): NodeClients {
  const stores = new Map<string, HttpChunkStore>();
  return {
    clientFor({ host, port }) {
      const address = `${host.includes(":") ? `[${host}]` : host}:${port}`;
      let store = stores.get(address);
      if (store === undefined) {
        store = new HttpChunkStore(connect(address), address, clusterKey);
        stores.set(address, store);
      }
      return store;
    },
    async close() {
      await Promise.all([...stores.values()].map((store) => store.close()));
      stores.clear();
    },
  };
}

function connect(address: string): Pool {
  return new Pool(`http://${address}`, {
    connections: limits.nodeConnectionsMax,
    pipelining: 1,
    connect: { timeout: limits.nodeConnectTimeoutMs },
    headersTimeout: limits.nodeRequestTimeoutMs,
    bodyTimeout: limits.nodeRequestTimeoutMs,
  });
}
