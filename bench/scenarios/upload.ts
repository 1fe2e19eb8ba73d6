import { randomFile } from "@holdfast/cluster/testing";
import { GiB, MiB } from "@holdfast/core/kernel";
import { type Result, repeat, summarise, timed } from "../measure.ts";
import type { Bench } from "./scenario.ts";

/** Random bytes each time, so that nothing is deduplicated; sent from memory, so that making them is not measured. */
export async function upload(bench: Bench): Promise<Result[]> {
  return [await oneBig(bench), await eightAtOnce(bench)];
}

async function oneBig({ cluster, rounds, serverPids }: Bench): Promise<Result> {
  const results = await repeat(rounds, async (round) => {
    const bytes = randomFile(`upload-one-${round}-${process.pid}`, GiB).bytes();
    return timed(GiB, serverPids(), () => send(cluster.owner, `one-${round}`, bytes));
  });
  return summarise("upload: 1 GiB by tus, 3 durable copies", results);
}

async function eightAtOnce({ cluster, rounds, serverPids }: Bench): Promise<Result> {
  const results = await repeat(rounds, async (round) => {
    const files = Array.from({ length: 8 }, (_, index) => randomFile(`upload-eight-${round}-${index}-${process.pid}`, 128 * MiB).bytes());
    return timed(GiB, serverPids(), async () => {
      await Promise.all(files.map((bytes, index) => send(cluster.owner, `eight-${round}-${index}`, bytes)));
    });
  });
  return summarise("upload: 8 × 128 MiB at once", results);
}

async function send(owner: Bench["cluster"]["owner"], filename: string, bytes: Buffer): Promise<void> {
  const path = await owner.createUpload({ filename, length: bytes.length });
  const answer = await owner.patch(path, 0, bytes, bytes.length);
  if (answer.headers["holdfast-entry-id"] === undefined)
    throw new Error(`the upload ended with ${answer.status}: ${answer.body.toString()}`);
}
