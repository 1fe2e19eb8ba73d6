import { setTimeout as delay } from "node:timers/promises";
import { untilReported } from "../load/cluster-report.ts";
import { ForegroundLoad } from "../load/foreground-load.ts";
import { storeFiles } from "../load/stored-files.ts";
import { MB } from "../report/row.ts";
import type { ClusterScenario } from "../scenario.ts";
import { burdenRows } from "./burden.ts";

const QUIET_MS = 15_000;
/** What the claim is about; of less data nothing is claimed. */
const CLAIMED_GIB = 6;

/**
 * One of four nodes is killed for good while users read and write: when the controller calls it down, how long until every
 * chunk has its three copies again, each read back, and what the users feel of it.
 */
export const repair: ClusterScenario = {
  number: 7,
  name: "repair",
  title: "one of four nodes dies under load",
  kind: "cluster",
  environment: { HOLDFAST_NODES: "4", HOLDFAST_HEARTBEAT_MS: "1000", HOLDFAST_DOWN_AFTER_MS: "5000", HOLDFAST_REPAIR_AFTER_MS: "0" },
  async measure(cluster, { gib = CLAIMED_GIB, limits }) {
    const limit = limits.durableWrite(1);
    const files = await storeFiles(cluster, gib);
    await using users = ForegroundLoad.start(cluster.owner, files);
    await delay(QUIET_MS);
    const before = users.takeFigures();

    const victim = cluster.nodes[1]!;
    const killedAt = performance.now();
    await victim.unplug();
    await untilReported(cluster, ({ nodes }) => nodes.some(({ name, health }) => name === victim.name && health === "down"));
    const calledDownAt = performance.now();
    const { repairs } = await untilReported(cluster, (report) => report.repairs[0]?.state === "done");
    const seconds = (performance.now() - calledDownAt) / 1_000;
    const during = users.takeFigures();

    return [
      { name: "called down after (silent for 5 s)", unit: "s", values: [(calledDownAt - killedAt) / 1_000] },
      {
        name: `${gib} GiB stored: whole again after`,
        unit: "s",
        values: [seconds],
        targets: gib < CLAIMED_GIB ? [] : [{ of: "value", atMost: 25 }],
      },
      {
        name: "copied and read back",
        unit: "MB/s",
        values: [repairs[0]!.bytesDone / seconds / MB],
        limit,
      },
      ...burdenRows(before, during),
    ];
  },
};
