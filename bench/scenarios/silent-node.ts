import { setTimeout as delay } from "node:timers/promises";
import { ForegroundLoad } from "../load/foreground-load.ts";
import { storeFiles } from "../load/stored-files.ts";
import type { ClusterScenario } from "../scenario.ts";
import { burdenRows } from "./burden.ts";

const WATCH_MS = 20_000;

/** A node stops in its tracks (SIGSTOP): its connections stay open and nothing is answered. The second half of the watch is without it. */
export const silentNode: ClusterScenario = {
  number: 9,
  name: "silent-node",
  title: "one of three nodes stops answering under load",
  kind: "cluster",
  async measure(cluster) {
    await using users = ForegroundLoad.start(cluster.owner, await storeFiles(cluster, 1));
    await delay(WATCH_MS);
    const before = users.takeFigures();
    const goOn = cluster.nodes[1]!.pause();
    await delay(WATCH_MS);
    const during = users.takeFigures();
    goOn();
    return burdenRows(before, during);
  },
};
