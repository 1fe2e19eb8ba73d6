/** What a service counts, in Prometheus' text format. */
import type { ServerResponse } from "node:http";

export interface Metric {
  /** Ends in its unit; a counter's in `_total`. */
  name: string;
  type: "gauge" | "counter";
  help: string;
  /** One value, or one for each set of labels. */
  value: number | { labels: Record<string, string | number>; value: number }[];
}

/** Answers with `metrics` and those of the process itself. */
export function answerMetrics(res: ServerResponse, metrics: readonly Metric[]): void {
  const text = [...metrics, ...processMetrics()].map(metricText).join("");
  res.writeHead(200, { "content-type": "text/plain; version=0.0.4; charset=utf-8", "cache-control": "no-store" });
  res.end(res.req.method === "HEAD" ? undefined : text);
}

function processMetrics(): Metric[] {
  const { user, system } = process.cpuUsage();
  return [
    { name: "process_resident_memory_bytes", type: "gauge", help: "Memory of this process.", value: process.memoryUsage.rss() },
    { name: "process_cpu_seconds_total", type: "counter", help: "Processor time of this process.", value: (user + system) / 1e6 },
    { name: "process_uptime_seconds", type: "gauge", help: "Time since this process started.", value: process.uptime() },
  ];
}

function metricText({ name, type, help, value }: Metric): string {
  const samples = typeof value === "number" ? [{ labels: {}, value }] : value;
  const lines = samples.map((sample) => `${name}${labelText(sample.labels)} ${sample.value}\n`);
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join("")}`;
}

function labelText(labels: Record<string, string | number>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${String(value).replaceAll(/[\\"\n]/g, escapeSign)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escapeSign(sign: string): string {
  return sign === "\n" ? "\\n" : `\\${sign}`;
}
