import { randomFile } from "@holdfast/cluster/testing";
import { GiB } from "@holdfast/core/kernel";
import { type Result, repeat, summarise, timed } from "../measure.ts";
import type { Bench } from "./scenario.ts";

export async function download({ cluster, rounds, serverPids }: Bench): Promise<Result[]> {
  const { owner } = cluster;
  const entryId = await owner.upload({ filename: `download-${process.pid}` }, randomFile(`download-${process.pid}`, GiB));
  const once = () => drain(owner, entryId);
  await once(); // the first one warms the page cache

  const one = await repeat(rounds, () => timed(GiB, serverPids(), once));
  const eight = await repeat(rounds, () =>
    timed(4 * GiB, serverPids(), async () => void (await Promise.all([once(), once(), once(), once()]))),
  );
  return [summarise("download: 1 GiB, hot", one), summarise("download: 4 × 1 GiB at once, hot", eight)];
}

async function drain(owner: Bench["cluster"]["owner"], entryId: string): Promise<void> {
  const response = await owner.open("GET", `/api/files/${entryId}/content`);
  let bytes = 0;
  for await (const part of response) bytes += (part as Buffer).length;
  if (bytes !== GiB) throw new Error(`${bytes} bytes arrived instead of ${GiB}`);
}
