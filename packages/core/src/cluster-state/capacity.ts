import { physicalDisk } from "./disks.ts";
import type { CapacityReport, NodeReport } from "./report.ts";

type Roomy = Pick<NodeReport, "id" | "device" | "intent" | "withinReach" | "capacityBytes" | "freeBytes">;

/** The room on the disks of the nodes within reach. Nodes on one disk report the same room, each as if it had it alone. */
export function sumCapacity(nodes: readonly Roomy[]): CapacityReport {
  const disks = new Map<string, { totalBytes: number; freeBytes: number }>();
  for (const node of nodes) {
    const { intent, withinReach, capacityBytes, freeBytes } = node;
    if (intent === "removed" || !withinReach) continue;
    const key = physicalDisk(node);
    const disk = disks.get(key) ?? { totalBytes: 0, freeBytes: Number.POSITIVE_INFINITY };
    disks.set(key, { totalBytes: Math.max(disk.totalBytes, capacityBytes), freeBytes: Math.min(disk.freeBytes, freeBytes) });
  }
  const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);
  const rooms = [...disks.values()];
  return {
    totalBytes: sum(rooms.map((room) => room.totalBytes)),
    freeBytes: sum(rooms.map((room) => room.freeBytes)),
    devices: disks.size,
  };
}
