/**
 * Storage nodes as a gateway, or another node, sees them: chunk stores at the other end of a connection.
 *
 * Per address some chunk streams for the bytes and a pool of plain HTTP/1.1 connections for all else, kept. Whole buffers in
 * both directions: streams and `fetch` cost several times the bytes' own price. Nothing is retried here, because only the
 * caller knows whether another node is the better second try.
 */
import type { ChunkStore } from "../chunk-store/index.ts";
import type { NodeSnapshot } from "../membership/index.ts";
import { HttpChunkStore } from "./http-chunk-store.ts";
import { HttpNodeCommands, type NodeCommands } from "./node-commands.ts";
import { NodeConnection } from "./node-connection.ts";
import { StreamedChunkStore } from "./streamed-chunk-store.ts";

export type NodeAddress = Pick<NodeSnapshot, "id" | "host" | "port">;

export interface NodeClients {
  /** Costs nothing to ask again; connects at its first use. The store is shared, so its `close` is left to `close` below. */
  clientFor(node: NodeAddress): ChunkStore;
  /** Likewise, to fetch a chunk for a copy elsewhere, which the node tells from what its users read. */
  sourceFor(node: NodeAddress): Pick<ChunkStore, "get">;
  /** Likewise. */
  commandsFor(node: NodeAddress): NodeCommands;
  /** Waits for requests under way. */
  close(): Promise<void>;
}

interface NodeClient {
  store: ChunkStore;
  source: Pick<ChunkStore, "get">;
  commands: HttpNodeCommands;
}

export function createNodeClients({ clusterKey }: { clusterKey: string }): NodeClients {
  const known = new Map<string, NodeClient>();

  function clientAt({ host, port }: NodeAddress): NodeClient {
    const address = `${host.includes(":") ? `[${host}]` : host}:${port}`;
    let client = known.get(address);
    if (client === undefined) {
      const connection = new NodeConnection(address, clusterKey);
      const store = new StreamedChunkStore(connection, new HttpChunkStore(connection));
      client = {
        store,
        source: { get: (id, options) => store.getForCopy(id, options) },
        commands: new HttpNodeCommands(connection),
      };
      known.set(address, client);
    }
    return client;
  }

  return {
    clientFor: (node) => clientAt(node).store,
    sourceFor: (node) => clientAt(node).source,
    commandsFor: (node) => clientAt(node).commands,
    async close() {
      await Promise.all([...known.values()].map(({ store }) => store.close()));
      known.clear();
    },
  };
}
