import { setTimeout as delay } from "node:timers/promises";
import { limits as systemLimits } from "@holdfast/core/kernel";
import { createNodeClients, type NodeCommands } from "@holdfast/core/node-client";
import { reportOf } from "../load/cluster-report.ts";
import { storeFiles } from "../load/stored-files.ts";
import { dropPageCache, mayDropPageCache } from "../measure/books.ts";
import { measure } from "../measure/meter.ts";
import { throughputRow } from "../report/row.ts";
import type { ClusterScenario } from "../scenario.ts";

const LOOK_MS = 10;

/** A node of an idle cluster reads all it holds from its disk and checks it, as fast as it can. */
export const scrub: ClusterScenario = {
  number: 10,
  name: "scrub",
  title: "one node reads and checks all its chunks, idle",
  kind: "cluster",
  async measure(cluster, { rounds, gib = 2, limits }) {
    await storeFiles(cluster, gib);
    const clients = createNodeClients({ clusterKey: cluster.clusterKey });
    const { nodes } = await reportOf(cluster);
    const commands = clients.commandsFor(nodes.find(({ name }) => name === "node-1")!);
    const processes = () => [{ role: "node" as const, pid: cluster.nodes[0]!.pid! }];
    const measured = await measure(processes, {
      rounds,
      async before() {
        if (mayDropPageCache()) dropPageCache();
        await untilBegun(commands);
      },
      work: () => untilFinished(commands),
    });
    await clients.close();
    return [throughputRow("one node, cold", measured, { limit: limits.coldRead(), targets: [{ of: "value", atLeast: 500 }] })];
  },
};

/** An order is taken up within a second; from then on it counts. */
async function untilBegun(commands: NodeCommands): Promise<void> {
  const { verifiedChunks } = await commands.scrubStatus();
  await commands.scrub({ action: "start" });
  while ((await commands.scrubStatus()).verifiedChunks === verifiedChunks) await delay(LOOK_MS);
}

/** Returns how much was read since we began to look. */
async function untilFinished(commands: NodeCommands): Promise<number> {
  const { verifiedChunks } = await commands.scrubStatus();
  for (;;) {
    const status = await commands.scrubStatus();
    if (!status.running) return (status.verifiedChunks - verifiedChunks) * systemLimits.chunkBytesMax;
    await delay(LOOK_MS);
  }
}
