import { MiB } from "@holdfast/core/kernel";
import type { Door } from "../load/door.ts";
import { measure } from "../measure/meter.ts";
import { type Row, throughputRow } from "../report/row.ts";
import type { DoorScenario, Settings } from "../scenario.ts";

const UPLOADS = 8;
const FILE_BYTES = 256 * MiB;

/** In one request each, for the rate; in a request for each chunk, for how long a chunk takes until it is acknowledged. */
export const uploadsAtOnce: DoorScenario = {
  number: 2,
  name: "uploads-at-once",
  title: "8 uploads of 256 MiB at once",
  kind: "door",
  async measure(door, settings) {
    const whole = await atOnce(door, settings, (name) => door.put(name, FILE_BYTES));
    const limit = settings.limits.durableWrite(door.copies);
    const rows = [throughputRow("8 × 256 MiB", whole, { limit, targets: [{ of: "value", atLeast: 300 }] })];
    return door.putInChunks === undefined ? rows : [...rows, await inChunks(door, settings)];
  },
};

async function inChunks(door: Door, settings: Settings): Promise<Row> {
  const measured = await atOnce(door, settings, (name, took) => door.putInChunks!(`chunks-${name}`, FILE_BYTES, took));
  return throughputRow("the same, a request for each chunk", measured, {
    limit: settings.limits.durableWrite(door.copies),
    targets: [{ of: "p99", atMost: 250 }],
  });
}

async function atOnce(door: Door, { rounds }: Settings, put: (name: string, took: (ms: number) => void) => Promise<void>) {
  return await measure(() => door.processes(), {
    rounds,
    async work(round, took) {
      await Promise.all(Array.from({ length: UPLOADS }, (_, index) => put(`at-once-${round}-${index}`, took)));
      return UPLOADS * FILE_BYTES;
    },
  });
}
