/** What a leader does about garbage and about what nodes hold, once it has heard enough of the cluster. */
import type pg from "pg";
import { createGarbageCollector, type GarbageCollector, garbageIntervalMs, markDatabaseAge } from "../garbage-collection/index.ts";
import { createInventory, type Inventory } from "../inventory/index.ts";
import { limits, type Logger, SECOND_MS } from "../kernel/index.ts";
import type { Leadership } from "../leadership/index.ts";
import type { NodeClients } from "../node-client/index.ts";
import { createSafemode, type Safemode } from "../safemode/index.ts";

/** How often to ask whether it is any node's turn. */
const INVENTORY_LOOK_MS = 2 * SECOND_MS;

export interface UpkeepOptions {
  pool: pg.Pool;
  leadership: Leadership;
  clients: NodeClients;
  hasHeard: (nodeId: number) => boolean;
  heartbeatIntervalMs: number;
  gcGraceMs?: number;
  replicas?: number;
  logger: Logger;
}

export interface Upkeep {
  safemode: Safemode;
  inventory: Inventory;
  garbage: GarbageCollector;
  tasks: UpkeepTask[];
}

/** A step that is repeated by whoever leads. */
export interface UpkeepTask {
  name: string;
  intervalMs: number;
  step(signal: AbortSignal): Promise<unknown>;
}

export function createUpkeep({ heartbeatIntervalMs, hasHeard, gcGraceMs = limits.gcGraceMs, ...parts }: UpkeepOptions): Upkeep {
  const safemode = createSafemode({ pool: parts.pool, hasHeard, heartbeatIntervalMs });
  const inventory = createInventory({ ...parts, safemode, graceMs: gcGraceMs });
  const garbage = createGarbageCollector({ ...parts, safemode, graceMs: gcGraceMs, inventoryGap: () => inventory.gap() });
  return {
    safemode,
    inventory,
    garbage,
    tasks: [
      { name: "safemode", intervalMs: Math.min(heartbeatIntervalMs, SECOND_MS), step: () => safemode.step() },
      { name: "inventory", intervalMs: INVENTORY_LOOK_MS, step: (signal) => inventory.step(signal) },
      { name: "database-age", intervalMs: limits.epochAdvanceMs, step: afterTheFirst(() => markDatabaseAge(parts)) },
      { name: "garbage-collection", intervalMs: garbageIntervalMs(gcGraceMs), step: (signal) => garbage.step(signal) },
    ],
  };
}

/** Workers begin with a step; this one has nothing to say yet then. */
function afterTheFirst(step: () => Promise<void>): () => Promise<void> {
  let isFirst = true;
  return async () => {
    if (!isFirst) await step();
    isFirst = false;
  };
}
