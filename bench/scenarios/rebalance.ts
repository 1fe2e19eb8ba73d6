import { setTimeout as delay } from "node:timers/promises";
import { reportOf, untilReported } from "../load/cluster-report.ts";
import { storeFiles } from "../load/stored-files.ts";
import { MB } from "../report/row.ts";
import type { ClusterScenario } from "../scenario.ts";

/** Chunks of the last seconds are left alone by a spread. */
const SETTLED_MS = 12_000;
const HEARD_MS = 3_000;

interface Preview {
  bytesToMove: number;
  minimumBytes: number;
}

/**
 * A fifth node joins four that hold data, and an operator lets the copies spread: how much moves for it, how fast, and how
 * even it is afterwards. Nobody else uses the cluster meanwhile.
 */
export const rebalance: ClusterScenario = {
  number: 8,
  name: "rebalance",
  title: "a fifth node joins four",
  kind: "cluster",
  environment: { HOLDFAST_NODES: "4", HOLDFAST_HEARTBEAT_MS: "1000", HOLDFAST_DOWN_AFTER_MS: "5000" },
  async measure(cluster, { gib = 6, limits }) {
    await storeFiles(cluster, gib);
    await delay(SETTLED_MS);
    await cluster.operator.mutate("simulation.add");
    await untilReported(cluster, ({ nodes }) => nodes.length === 5 && nodes.every(({ health }) => health === "up"));
    const start = performance.now();
    const { preview } = await cluster.operator.mutate<{ preview: Preview }>("topology.change", { kind: "spread" });
    const { rebalances } = await untilReported(cluster, (report) => report.rebalances[0]?.state === "done");
    const seconds = (performance.now() - start) / 1_000;

    const { bytesDone } = rebalances[0]!;
    await delay(HEARD_MS); // what the nodes hold is what they said with their last heartbeat
    const used = (await reportOf(cluster)).nodes.map(({ usedBytes }) => usedBytes);
    const mean = used.reduce((sum, bytes) => sum + bytes, 0) / used.length;
    return [
      {
        name: `${gib} GiB stored: moved and read back`,
        unit: "MB/s",
        values: [bytesDone / seconds / MB],
        limit: limits.durableWrite(1),
      },
      { name: "moved ÷ what must move", unit: "×", values: [bytesDone / preview.minimumBytes], targets: [{ of: "value", atMost: 1.02 }] },
      {
        name: "fullest ÷ mean (few chunks: chance shows)",
        unit: "×",
        values: [Math.max(...used) / mean],
        targets: [{ of: "value", atMost: 1.01 }],
      },
    ];
  },
};
