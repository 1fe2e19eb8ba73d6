import { GiB, KiB } from "@holdfast/core/kernel";
import { dropPageCache, mayDropPageCache } from "../measure/books.ts";
import { keepDoing, measure, WARM_UP_SECONDS } from "../measure/meter.ts";
import { operationsRow, type Row } from "../report/row.ts";
import type { DoorScenario } from "../scenario.ts";

const RANGE_BYTES = 64 * KiB;
const AT_ONCE = 16;
const SECONDS = 3;

/** The times are those to the first byte. */
export const ranges: DoorScenario = {
  number: 5,
  name: "ranges",
  title: "ranges of 64 KiB at random, 16 at a time",
  kind: "door",
  async measure(door, { rounds }) {
    if (door.read === undefined) return [];
    await door.put("ranges", GiB);
    const readRange = async (): Promise<number> => {
      const from = Math.floor(Math.random() * (GiB / RANGE_BYTES)) * RANGE_BYTES;
      return (await door.read!("ranges", { from, length: RANGE_BYTES })).firstByteMs;
    };
    await door.read("ranges");
    await keepDoing(AT_ONCE, WARM_UP_SECONDS, readRange);
    const row = async (temperature: string, before?: () => void): Promise<Row> => {
      const measured = await measure(() => door.processes(), {
        rounds,
        before,
        work: (_, took) => keepDoing(AT_ONCE, SECONDS, async () => took(await readRange())),
      });
      return operationsRow(`64 KiB of 1 GiB, ${temperature}`, measured, { targets: [{ of: "p99", atMost: 15 }] });
    };
    return [await row("hot"), ...(mayDropPageCache() ? [await row("cold", dropPageCache)] : [])];
  },
};
