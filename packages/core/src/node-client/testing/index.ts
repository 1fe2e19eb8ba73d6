import type { ChunkStore } from "../../chunk-store/index.ts";
import { HttpChunkStore } from "../http-chunk-store.ts";
import { NodeConnection } from "../node-connection.ts";

/** A node's store as a gateway finds it that knows no chunk streams. */
export function httpStore(address: string, clusterKey: string): ChunkStore {
  return new HttpChunkStore(new NodeConnection(address, clusterKey));
}
