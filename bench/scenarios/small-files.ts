import { setTimeout as delay } from "node:timers/promises";
import { KiB } from "@holdfast/core/kernel";
import type { Door } from "../load/door.ts";
import { keepDoing, measure, WARM_UP_SECONDS } from "../measure/meter.ts";
import { operationsRow, type Row } from "../report/row.ts";
import type { DoorScenario, Settings } from "../scenario.ts";

const SECONDS = 3;
const AT_ONCE = [1, 16, 64];
/** The last copies are written after the answer. */
const SETTLE_MS = 3_000;

/** A request for each file: durable bytes, their rows and the entry in its folder are there when it is answered. */
export const smallFiles: DoorScenario = {
  number: 3,
  name: "small-files",
  title: "files of 4 and 64 KiB, one request each",
  kind: "door",
  async measure(door, settings) {
    const rows: Row[] = [];
    for (const length of [4 * KiB, 64 * KiB]) rows.push(...(await ofLength(door, settings, length)));
    return rows;
  },
};

async function ofLength(door: Door, { rounds }: Settings, length: number): Promise<Row[]> {
  const size = `${length / KiB} KiB`;
  const rows: Row[] = [];
  await keepDoing(Math.max(...AT_ONCE), WARM_UP_SECONDS, (number) => door.put(`warm-up-${length}-${number}`, length));
  await delay(SETTLE_MS);
  let files = 0;
  const before = await door.footprint?.();
  for (const atOnce of AT_ONCE) {
    const measured = await measure(() => door.processes(), {
      rounds,
      async work(round, took) {
        const done = await keepDoing(atOnce, SECONDS, async (number) => {
          const start = performance.now();
          await door.put(`small-${length}-${atOnce}-${round}-${number}`, length);
          took(performance.now() - start);
        });
        files += done;
        return done;
      },
    });
    rows.push(operationsRow(`${size}, ${atOnce} at a time`, measured, atOnce === 64 ? { targets: [{ of: "value", atLeast: 3_000 }] } : {}));
  }
  if (before !== undefined) {
    await delay(SETTLE_MS);
    const after = await door.footprint!();
    const data = (after.data - before.data) / (files * length * door.copies);
    rows.push({ name: `${size}: bytes on disk a byte and copy`, unit: "×", values: [data], targets: [{ of: "value", atMost: 1.1 }] });
    rows.push({ name: `${size}: database bytes a file`, unit: "B", values: [(after.metadata - before.metadata) / files] });
  }
  return rows;
}
