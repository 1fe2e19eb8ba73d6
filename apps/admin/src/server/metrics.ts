/** The cluster in Prometheus' text format. */
import type { WorkerStatus } from "@holdfast/core/background";
import type { ClusterReport } from "@holdfast/core/cluster-state";

type Sample = [labels: Record<string, string | number>, value: number];

export function metricsText({ state, nodes, chunks }: ClusterReport, workers: readonly WorkerStatus[]): string {
  const states = ["ok", "at-risk", "degraded", "unreadable", "unknown"] as const;
  const perNode = (value: (node: ClusterReport["nodes"][number]) => number): Sample[] =>
    nodes.map((node) => [{ node: node.id, name: node.name, zone: node.zone }, value(node)]);
  return [
    gauge(
      "holdfast_cluster_state",
      "1 for the state the data is in.",
      states.map((name) => [{ state: name }, Number(name === state)]),
    ),
    gauge(
      "holdfast_chunks",
      "Live chunks by their copies within reach.",
      Object.entries(chunks?.byCopies ?? {}).map(([copies, count]) => [{ copies }, count]),
    ),
    gauge(
      "holdfast_node_up",
      "1 while the node answers.",
      perNode((node) => Number(node.health === "up")),
    ),
    gauge(
      "holdfast_node_capacity_bytes",
      "Size of the node's disk.",
      perNode((node) => node.capacityBytes),
    ),
    gauge(
      "holdfast_node_free_bytes",
      "What the node still takes.",
      perNode((node) => node.freeBytes),
    ),
    gauge(
      "holdfast_node_used_bytes",
      "Bytes of the node's chunks.",
      perNode((node) => node.usedBytes),
    ),
    gauge(
      "holdfast_node_chunks",
      "Chunks the node holds.",
      perNode((node) => node.chunkCount),
    ),
    gauge(
      "holdfast_worker_failing",
      "1 while a background worker fails.",
      workers.map(({ name, state: worker }) => [{ worker: name }, Number(worker === "failing")]),
    ),
    gauge("process_resident_memory_bytes", "Memory of this process.", [[{}, process.memoryUsage.rss()]]),
  ].join("");
}

function gauge(name: string, help: string, samples: Sample[]): string {
  const lines = samples.map(([labels, value]) => `${name}${labelText(labels)} ${value}\n`);
  return `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${lines.join("")}`;
}

function labelText(labels: Record<string, string | number>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${String(value).replaceAll(/[\\"\n]/g, escapeLabel)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escapeLabel(character: string): string {
  return character === "\n" ? "\\n" : `\\${character}`;
}
