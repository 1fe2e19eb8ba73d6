import { setTimeout as delay } from "node:timers/promises";
import type { TestCluster } from "@holdfast/cluster/testing";

/** What the console says of the cluster. */
export interface ClusterReport {
  nodes: { id: number; name: string; host: string; port: number; health: string; usedBytes: number }[];
  chunks: { total: number; byCopies: Record<string, number> };
  repairs: { state: string; bytesDone: number }[];
  rebalances: { state: string; bytesDone: number }[];
}

const LOOK_MS = 100;
const PATIENCE_MS = 20 * 60_000;

export async function reportOf({ operator }: TestCluster): Promise<ClusterReport> {
  return await operator.get<ClusterReport>("/api/cluster");
}

export async function untilReported(cluster: TestCluster, condition: (report: ClusterReport) => boolean): Promise<ClusterReport> {
  const giveUp = performance.now() + PATIENCE_MS;
  for (;;) {
    const report = await reportOf(cluster);
    if (condition(report)) return report;
    if (performance.now() > giveUp) throw new Error(`it did not come to that: ${JSON.stringify(report)}`);
    await delay(LOOK_MS);
  }
}
