import { GiB, MiB } from "@holdfast/core/kernel";
import type { Door } from "../load/door.ts";
import { dropPageCache, mayDropPageCache } from "../measure/books.ts";
import { measure } from "../measure/meter.ts";
import { type Limit, type Row, throughputRow } from "../report/row.ts";
import type { DoorScenario, Settings } from "../scenario.ts";

const CLIENTS = 8;
const SHARE_BYTES = 128 * MiB;

/** Cold: the kernel has forgotten all it had read, as after a start. Each of several clients reads a file of its own. */
export const download: DoorScenario = {
  number: 4,
  name: "download",
  title: "downloads of 1 GiB",
  kind: "door",
  async measure(door, settings) {
    if (door.read === undefined) return [];
    await door.put("whole", GiB);
    const shares = Array.from({ length: CLIENTS }, (_, index) => `share-${index}`);
    for (const name of shares) await door.put(name, SHARE_BYTES);
    const hot = { temperature: "hot", limit: settings.limits.loopback(), atLeast: 700 };
    const cold = { temperature: "cold", limit: settings.limits.coldRead(), atLeast: 500, before: dropPageCache };
    const rows: Row[] = [];
    for (const way of mayDropPageCache() ? [hot, cold] : [hot])
      for (const names of [["whole"], shares]) rows.push(await readAll(door, settings, names, way));
    return rows;
  },
};

interface Way {
  temperature: string;
  limit: Limit;
  atLeast: number;
  before?: () => void;
}

async function readAll(
  door: Door,
  { rounds }: Settings,
  names: readonly string[],
  { temperature, limit, atLeast, before }: Way,
): Promise<Row> {
  const read = async (): Promise<number> => {
    await Promise.all(names.map((name) => door.read!(name)));
    return GiB;
  };
  if (before === undefined) await read(); // the first one warms the page cache
  const measured = await measure(() => door.processes(), { rounds, before, work: read });
  const clients = names.length === 1 ? "1 GiB, one client" : `${names.length} × 128 MiB at once`;
  return throughputRow(`${clients}, ${temperature}`, measured, { limit, targets: [{ of: "value", atLeast }] });
}
