/**
 * `npm run bench -- [scenario…] [--rounds N] [--gib N] [--json]`: a cluster of its own, the machine's limits beside each result.
 *
 * The load generator shares the cores with the servers, so CPU seconds per GB of the server processes is the figure to
 * compare between machines; MB/s is what this one does today.
 */
import { parseArgs } from "node:util";
import { startTestCluster } from "@holdfast/cluster/testing";
import { measureLimits } from "./limits.ts";
import { type Result, residentBytes } from "./measure.ts";
import { download } from "./scenarios/download.ts";
import { planning } from "./scenarios/planning.ts";
import { rebalance, rebalanceEnvironment } from "./scenarios/rebalance.ts";
import { repair, repairEnvironment } from "./scenarios/repair.ts";
import type { Scenario } from "./scenarios/scenario.ts";
import { upload } from "./scenarios/upload.ts";
import { printTable } from "./table.ts";

const scenarios: Record<string, Scenario> = { upload, download, repair, rebalance };
/** Scenarios that need a cluster unlike the others'. */
const environments: Record<string, Record<string, string>> = { repair: repairEnvironment, rebalance: rebalanceEnvironment };
/** Scenarios that need no cluster, and print what they find. */
const pure: Record<string, () => void> = { planning };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: "string", default: "5" },
    gib: { type: "string", default: "2" },
    json: { type: "boolean", default: false },
    directory: { type: "string" },
  },
});
const names = positionals.length > 0 ? positionals : Object.keys(scenarios);
const known = [...Object.keys(scenarios), ...Object.keys(pure)];
const unknown = names.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  console.error(`There is no scenario "${unknown.join('", "')}". Scenarios: ${known.join(", ")}.`);
  process.exit(1);
}

const rounds = Number(values.rounds);
for (const name of names) pure[name]?.();
const alike = names.filter((name) => name in scenarios && !(name in environments));
if (alike.length > 0) await runOn({}, alike);
for (const name of names.filter((name) => name in environments)) await runOn(environments[name]!, [name]);

async function runOn(environment: Record<string, string>, names: readonly string[]): Promise<void> {
  const cluster = await startTestCluster({ environment: { HOLDFAST_LOG_LEVEL: "warn", ...environment }, directory: values.directory });
  try {
    const serverPids = (): number[] => [cluster.drive, cluster.postgres, ...cluster.nodes].flatMap((service) => service?.pid ?? []);
    const limits = await measureLimits(cluster.dataDirectory, rounds);
    const results: Result[] = [];
    for (const name of names) results.push(...(await scenarios[name]!({ cluster, rounds, gib: Number(values.gib), serverPids })));
    const memory = {
      gateway: residentBytes(cluster.drive.pid!),
      nodes: cluster.nodes.flatMap(({ pid }) => (pid === undefined ? [] : residentBytes(pid))),
    };
    if (values.json) console.log(JSON.stringify({ at: new Date(), rounds, limits, results, memory }));
    else printTable(limits, results, memory);
  } finally {
    await cluster.remove();
  }
}
