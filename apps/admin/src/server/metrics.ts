/** The cluster, as its controller sees it, in figures. */
import type { WorkerStatus } from "@holdfast/core/background";
import type { ClusterReport } from "@holdfast/core/cluster-state";
import type { Metric } from "@holdfast/core/http-edge";

const STATES = ["ok", "at-risk", "degraded", "unreadable", "unknown"] as const;

export function clusterMetrics({ state, nodes, chunks }: ClusterReport, workers: readonly WorkerStatus[]): Metric[] {
  const gauge = (name: string, help: string, value: Metric["value"]): Metric => ({ name, type: "gauge", help, value });
  const perNode = (name: string, help: string, valueOf: (node: ClusterReport["nodes"][number]) => number): Metric =>
    gauge(
      name,
      help,
      nodes.map((node) => ({ labels: { node: node.id, name: node.name, zone: node.zone }, value: valueOf(node) })),
    );
  return [
    gauge(
      "holdfast_cluster_state",
      "1 for the state the data is in.",
      STATES.map((name) => ({ labels: { state: name }, value: Number(name === state) })),
    ),
    gauge(
      "holdfast_chunks",
      "Live chunks by their copies within reach.",
      Object.entries(chunks?.byCopies ?? {}).map(([copies, value]) => ({ labels: { copies }, value })),
    ),
    perNode("holdfast_node_up", "1 while the node answers.", (node) => Number(node.health === "up")),
    perNode("holdfast_node_capacity_bytes", "Size of the node's disk.", (node) => node.capacityBytes),
    perNode("holdfast_node_free_bytes", "What the node still takes.", (node) => node.freeBytes),
    perNode("holdfast_node_used_bytes", "Bytes of the node's chunks.", (node) => node.usedBytes),
    perNode("holdfast_node_chunks", "Chunks the node holds.", (node) => node.chunkCount),
    gauge(
      "holdfast_worker_failing",
      "1 while a background worker fails.",
      workers.map(({ name, state: worker }) => ({ labels: { worker: name }, value: Number(worker === "failing") })),
    ),
  ];
}
