/**
 * One of four nodes is killed for good while users read and write: when that is noticed, how long until every chunk has its
 * three copies again, and what the users feel of it.
 *
 * Besides the rate, which goes into the table with the disk's own limit, the figures are printed as sentences.
 */
import { setTimeout as delay } from "node:timers/promises";
import { randomFile, type TestCluster } from "@holdfast/cluster/testing";
import { GiB, MiB } from "@holdfast/core/kernel";
import { MB, type Result } from "../measure.ts";
import { ForegroundLoad, type LoadFigures } from "./foreground-load.ts";
import type { Bench } from "./scenario.ts";

export const repairEnvironment = {
  HOLDFAST_NODES: "4",
  HOLDFAST_HEARTBEAT_MS: "1000",
  HOLDFAST_DOWN_AFTER_MS: "5000",
  HOLDFAST_REPAIR_AFTER_MS: "0",
};

const FILE_BYTES = 256 * MiB;
const QUIET_MS = 15_000;
const LOOK_MS = 100;
const PATIENCE_MS = 20 * 60_000;

interface Report {
  nodes: { name: string; health: string }[];
  chunks: { total: number; byCopies: Record<string, number> };
  repairs: { state: string; bytesDone: number; chunksDone: number }[];
}

export async function repair({ cluster, gib }: Bench): Promise<Result[]> {
  const files = await fill(cluster, Math.round((gib * GiB) / FILE_BYTES));
  await until(cluster, ({ chunks }) => chunks.byCopies["3"] === chunks.total);
  const load = new ForegroundLoad(cluster.owner, files);
  load.start();
  await delay(QUIET_MS);
  const before = load.takeFigures();

  const victim = cluster.nodes[1]!;
  const killedAt = performance.now();
  await victim.unplug();
  await until(cluster, ({ nodes }) => nodes.some(({ name, health }) => name === victim.name && health === "down"));
  const noticedAt = performance.now();
  const report = await until(cluster, ({ repairs }) => repairs[0]?.state === "done");
  const doneAt = performance.now();
  const during = load.takeFigures();
  await load.stop();

  const { bytesDone, chunksDone } = report.repairs[0]!;
  const seconds = (doneAt - noticedAt) / 1_000;
  console.log(`\nnode-2 of four killed, ${gib} GiB stored in three copies, users reading and writing`);
  console.log(`  noticed after        ${((noticedAt - killedAt) / 1_000).toFixed(1)} s (silent for 5 s counts as down)`);
  console.log(
    `  whole again after    ${seconds.toFixed(1)} s more: ${chunksDone} chunks, ${(bytesDone / GiB).toFixed(2)} GiB copied and read back`,
  );
  printFigures("before", before);
  printFigures("during", during);
  const megabytesPerSecond = bytesDone / seconds / MB;
  return [{ name: `repair: ${gib} GiB, one of 4 nodes dead`, megabytesPerSecond, range: [megabytesPerSecond, megabytesPerSecond] }];
}

async function fill({ owner }: TestCluster, count: number): Promise<string[]> {
  const entries: string[] = [];
  for (let number = 0; number < count; number += 1) {
    const name = `repair-${number}-${process.pid}`;
    entries.push(await owner.upload({ filename: name }, randomFile(name, FILE_BYTES)));
  }
  return entries;
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

function printFigures(when: string, { operations, failed, read, write }: LoadFigures): void {
  const times = (name: string, { p50, p99 }: LoadFigures["read"]): string => `${name} p50 ${p50.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms`;
  console.log(`  users ${when}         ${operations} operations, ${failed} failed; ${times("read", read)}; ${times("write", write)}`);
}
