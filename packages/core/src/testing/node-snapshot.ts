import { GiB } from "../kernel/index.ts";
import type { NodeSnapshot } from "../membership/index.ts";

/** A node without anything wrong with it, on a disk of its own. */
export function nodeSnapshot(id: number, changes: Partial<NodeSnapshot> = {}): NodeSnapshot {
  return {
    id,
    name: `node-${id}`,
    host: "127.0.0.1",
    port: 7100 + id,
    zone: "default",
    health: "up",
    intent: "active",
    writable: true,
    capacityBytes: 100 * GiB,
    freeBytes: 100 * GiB,
    weight: 1,
    device: `disk-${id}`,
    healthChangedAt: new Date(0),
    maintenanceUntil: null,
    ...changes,
  };
}
