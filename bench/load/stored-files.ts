import type { TestCluster } from "@holdfast/cluster/testing";
import { GiB, MiB } from "@holdfast/core/kernel";
import { DriveDoor } from "./drive-door.ts";
import { untilReported } from "./cluster-report.ts";

const FILE_BYTES = 256 * MiB;

/** Fills the cluster, and waits until all of it lies there in three copies. Returns the files' entries. */
export async function storeFiles(cluster: TestCluster, gib: number): Promise<string[]> {
  const door = new DriveDoor(cluster);
  const names = Array.from({ length: Math.max(1, Math.round((gib * GiB) / FILE_BYTES)) }, (_, number) => `stored-${number}`);
  for (const name of names) await door.put(name, FILE_BYTES);
  await untilReported(cluster, ({ chunks }) => chunks.byCopies["3"] === chunks.total);
  await door.close();
  return names.map((name) => door.entryOf(name));
}
