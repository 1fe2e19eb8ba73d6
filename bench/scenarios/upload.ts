import { GiB } from "@holdfast/core/kernel";
import { measure } from "../measure/meter.ts";
import { throughputRow } from "../report/row.ts";
import type { DoorScenario } from "../scenario.ts";

export const upload: DoorScenario = {
  number: 1,
  name: "upload",
  title: "one upload of 1 GiB",
  kind: "door",
  async measure(door, { rounds, limits }) {
    const measured = await measure(() => door.processes(), {
      rounds,
      async work(round) {
        await door.put(`one-${round}`, GiB);
        return GiB;
      },
    });
    const targets = [
      { of: "value" as const, atLeast: 300 },
      { of: "cpu" as const, atMost: 4.5 },
    ];
    return [throughputRow("1 GiB", measured, { limit: limits.durableWrite(door.copies), targets })];
  },
};
