/** What a node says of itself. */
import type { ChunkStore, MigrationProgress, StoreStats } from "@holdfast/core/chunk-store";
import { answerJson, answerMetrics, type Metric } from "@holdfast/core/http-edge";
import type { NodeIdentity } from "@holdfast/core/node-registration";
import type { Exchange, Route } from "../route.ts";

export interface NodeFacts {
  name: string;
  version: string;
  zone: string;
  identity(): NodeIdentity;
  /** Undefined when nothing has to move. */
  migration(): Promise<MigrationProgress | undefined>;
}

export function reportRoutes(store: ChunkStore, facts: NodeFacts): Route[] {
  /** Open to anyone, so it tells nothing but whether chunks can be had. */
  async function health({ res }: Exchange): Promise<void> {
    const joined = facts.identity().nodeId !== undefined;
    answerJson(
      res,
      joined ? 200 : 503,
      joined ? { status: "ok" } : { status: "starting", reasons: ["The node has not joined a cluster yet."] },
    );
  }

  async function stats({ res }: Exchange): Promise<void> {
    const { name, version, zone } = facts;
    const [stats, migration] = await Promise.all([store.stats(), facts.migration()]);
    answerJson(res, 200, { ...stats, ...facts.identity(), name, version, zone, ...(migration && { migration }) });
  }

  async function metrics({ res }: Exchange): Promise<void> {
    answerMetrics(res, storeMetrics(await store.stats(), facts.name));
  }

  return [
    { method: "GET", path: "/health", access: "anyone", serve: health },
    { method: "GET", path: "/stats", access: "cluster", serve: stats },
    { method: "GET", path: "/metrics", access: "loopback", serve: metrics },
  ];
}

function storeMetrics(stats: StoreStats, node: string): Metric[] {
  const metric = (name: string, type: Metric["type"], help: string, value: number): Metric => ({
    name,
    type,
    help,
    value: [{ labels: { node }, value }],
  });
  return [
    metric("holdfast_node_capacity_bytes", "gauge", "Size of the disk.", stats.capacityBytes),
    metric("holdfast_node_free_bytes", "gauge", "Free for chunks, less the reserve.", stats.freeBytes),
    metric("holdfast_node_used_bytes", "gauge", "Sum of the chunks held.", stats.usedBytes),
    metric("holdfast_node_chunks", "gauge", "Chunks held.", stats.chunkCount),
    metric("holdfast_node_writable", "gauge", "1 while new chunks are taken.", Number(stats.writable)),
    metric("holdfast_node_foreign_files", "gauge", "Files among the chunks that are not ours.", stats.foreignFiles),
    metric("holdfast_node_disk_errors_total", "counter", "Operations that the disk failed.", stats.diskErrors),
    metric("holdfast_node_corrupt_chunks_total", "counter", "Chunks found damaged and set aside.", stats.corruptChunks),
  ];
}
