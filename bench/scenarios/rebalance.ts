/**
 * A fifth node joins four that hold data, and an operator lets the copies spread: how much moves for it, how fast, and how
 * even it is afterwards. Nobody else uses the cluster meanwhile.
 *
 * Besides the rate, which goes into the table with the disk's own limit, the figures are printed as sentences.
 */
import { setTimeout as delay } from "node:timers/promises";
import { randomFile, type TestCluster } from "@holdfast/cluster/testing";
import { GiB, MiB } from "@holdfast/core/kernel";
import { MB, type Result } from "../measure.ts";
import type { Bench } from "./scenario.ts";

export const rebalanceEnvironment = { HOLDFAST_NODES: "4", HOLDFAST_HEARTBEAT_MS: "1000", HOLDFAST_DOWN_AFTER_MS: "5000" };

const FILE_BYTES = 256 * MiB;
const LOOK_MS = 100;
const PATIENCE_MS = 20 * 60_000;
/** Chunks of the last seconds are left alone by a spread. */
const SETTLED_MS = 12_000;
const HEARD_MS = 3_000;

interface Report {
  nodes: { name: string; health: string; usedBytes: number }[];
  chunks: { total: number; byCopies: Record<string, number> };
  rebalances: { state: string; blocked: string; bytesDone: number; chunksDone: number }[];
}

interface Preview {
  bytesToMove: number;
  minimumBytes: number;
}

export async function rebalance({ cluster, gib }: Bench): Promise<Result[]> {
  await fill(cluster, Math.round((gib * GiB) / FILE_BYTES));
  await until(cluster, ({ chunks }) => chunks.byCopies["3"] === chunks.total);
  await delay(SETTLED_MS);

  await command(cluster, "simulation.add");
  await until(cluster, ({ nodes }) => nodes.length === 5 && nodes.every(({ health }) => health === "up"));
  const start = performance.now();
  const { preview } = await command<{ preview: Preview }>(cluster, "topology.change", { kind: "spread" });
  const report = await until(cluster, ({ rebalances }) => rebalances[0]?.state === "done");
  const seconds = (performance.now() - start) / 1_000;

  const { bytesDone, chunksDone } = report.rebalances[0]!;
  await delay(HEARD_MS); // what the nodes hold is what they said with their last heartbeat
  const used = (await cluster.operator.get<Report>("/api/cluster")).nodes.map(({ usedBytes }) => usedBytes);
  const total = used.reduce((sum, bytes) => sum + bytes, 0);
  const ratio = (value: number): string => value.toFixed(3);
  console.log(`\na fifth node joins four, ${gib} GiB stored in three copies`);
  console.log(
    `  spread in            ${seconds.toFixed(1)} s: ${chunksDone} chunks, ${(bytesDone / GiB).toFixed(2)} GiB moved and read back`,
  );
  console.log(`  moved ÷ minimum      ${ratio(bytesDone / preview.minimumBytes)} of what must move to end so`);
  console.log(
    `  moved ÷ fair share   ${ratio(bytesDone / (total / 5))} of a fifth of everything; ${chunksDone} chunks are few, and chance shows`,
  );
  console.log(`  fullest ÷ mean       ${ratio(Math.max(...used) / (total / 5))}`);
  const megabytesPerSecond = bytesDone / seconds / MB;
  return [{ name: `rebalance: ${gib} GiB, a fifth node joins`, megabytesPerSecond, range: [megabytesPerSecond, megabytesPerSecond] }];
}

async function fill({ owner }: TestCluster, count: number): Promise<void> {
  for (let number = 0; number < count; number += 1) {
    const name = `rebalance-${number}-${process.pid}`;
    await owner.upload({ filename: name }, randomFile(name, FILE_BYTES));
  }
}

/** A mutation of the console's API, which must succeed. */
async function command<T>({ operator }: TestCluster, procedure: string, input?: unknown): Promise<T> {
  const { status, body } = await operator.json("POST", `/api/trpc/${procedure}`, { json: input });
  if (status !== 200) throw new Error(`${procedure} answered ${status}: ${body.toString()}`);
  return (JSON.parse(body.toString()) as { result: { data: { json: T } } }).result.data.json;
}

async function until(cluster: TestCluster, condition: (report: Report) => boolean): Promise<Report> {
  const giveUp = performance.now() + PATIENCE_MS;
  for (;;) {
    const report = await cluster.operator.get<Report>("/api/cluster");
    if (condition(report)) return report;
    if (performance.now() > giveUp) throw new Error(`it did not come to that: ${JSON.stringify(report)}`);
    await delay(LOOK_MS);
  }
}
