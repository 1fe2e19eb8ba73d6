import type { Metric } from "@holdfast/core/http-edge";
import type { DriveServices } from "./services.ts";

export function driveMetrics({ downloads, membership, database }: DriveServices): Metric[] {
  const { active, bufferedBytes, sentBytes, failedCopies, overtakenCopies, hotReads } = downloads.counts();
  const { totalCount, idleCount, waitingCount } = database.pool;
  return [
    { name: "holdfast_downloads_active", type: "gauge", help: "Downloads under way.", value: active },
    { name: "holdfast_download_buffered_bytes", type: "gauge", help: "Held in buffers for downloads.", value: bufferedBytes },
    { name: "holdfast_download_sent_bytes_total", type: "counter", help: "Bytes of files sent.", value: sentBytes },
    { name: "holdfast_read_failed_copies_total", type: "counter", help: "Copies that could not be read.", value: failedCopies },
    { name: "holdfast_read_hot_total", type: "counter", help: "Reads of chunks that needed no node.", value: hotReads },
    {
      name: "holdfast_read_overtaken_copies_total",
      type: "counter",
      help: "Copies that another one was quicker than.",
      value: overtakenCopies,
    },
    {
      name: "holdfast_node_up",
      type: "gauge",
      help: "1 while the controller hears the node.",
      value: membership.nodes().map(({ name, health }) => ({ labels: { name }, value: Number(health === "up") })),
    },
    {
      name: "holdfast_database_connections",
      type: "gauge",
      help: "Connections to the database, by what they do.",
      value: [
        { labels: { state: "busy" }, value: totalCount - idleCount },
        { labels: { state: "idle" }, value: idleCount },
        { labels: { state: "wanted" }, value: waitingCount },
      ],
    },
  ];
}
