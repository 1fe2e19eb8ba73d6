/** What a node says of itself. */
import type { ChunkStore, StoreStats } from "@holdfast/core/chunk-store";
import { answerJson } from "@holdfast/core/http-edge";
import type { NodeIdentity } from "@holdfast/core/node-registration";
import type { Exchange, Route } from "../route.ts";

export interface NodeFacts {
  name: string;
  version: string;
  zone: string;
  identity(): NodeIdentity;
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
    answerJson(res, 200, { ...(await store.stats()), ...facts.identity(), name, version, zone });
  }

  async function metrics({ res }: Exchange): Promise<void> {
    const text = prometheusText(await store.stats(), facts.name);
    res.writeHead(200, { "content-type": "text/plain; version=0.0.4; charset=utf-8", "content-length": Buffer.byteLength(text) }).end(text);
  }

  return [
    { method: "GET", path: "/health", access: "anyone", serve: health },
    { method: "GET", path: "/stats", access: "cluster", serve: stats },
    { method: "GET", path: "/metrics", access: "loopback", serve: metrics },
  ];
}

type Metric = [name: string, type: "gauge" | "counter", help: string, value: number];

function prometheusText(stats: StoreStats, node: string): string {
  const metrics: Metric[] = [
    ["holdfast_node_capacity_bytes", "gauge", "Size of the disk.", stats.capacityBytes],
    ["holdfast_node_free_bytes", "gauge", "Free for chunks, less the reserve.", stats.freeBytes],
    ["holdfast_node_used_bytes", "gauge", "Sum of the chunks held.", stats.usedBytes],
    ["holdfast_node_chunks", "gauge", "Chunks held.", stats.chunkCount],
    ["holdfast_node_writable", "gauge", "1 while new chunks are taken.", Number(stats.writable)],
    ["holdfast_node_foreign_files", "gauge", "Files among the chunks that are not ours.", stats.foreignFiles],
    ["holdfast_node_disk_errors_total", "counter", "Operations that the disk failed.", stats.diskErrors],
    ["holdfast_node_corrupt_chunks_total", "counter", "Chunks found damaged and set aside.", stats.corruptChunks],
    ["process_resident_memory_bytes", "gauge", "Memory of the process.", process.memoryUsage.rss()],
  ];
  return metrics
    .map(([name, type, help, value]) => `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${name}{node="${node}"} ${value}\n`)
    .join("");
}
