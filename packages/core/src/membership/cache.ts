import type pg from "pg";
import { createWorker } from "../background/index.ts";
import { limits } from "../kernel/index.ts";
import type { Membership, NodeSnapshot } from "./node-snapshot.ts";

export interface MembershipCacheOptions {
  pool: pg.Pool;
  refreshMs?: number;
  /** Called once per outage of the database. */
  onError: (error: unknown) => void;
}

/**
 * The node table as this process last read it. While the database is away the last view stands: reading chunks needs no
 * database, only the knowledge of where the nodes are.
 */
export function createMembershipCache({
  pool,
  refreshMs = limits.membershipRefreshMs,
  onError,
}: MembershipCacheOptions): Membership & { start(): Promise<void>; stop(): Promise<void> } {
  let nodes: readonly NodeSnapshot[] = [];
  let byId = new Map<number, NodeSnapshot>();
  const worker = createWorker({
    name: "membership",
    intervalMs: refreshMs,
    onError,
    async step() {
      nodes = await readNodes(pool);
      byId = new Map(nodes.map((node) => [node.id, node]));
    },
  });
  return {
    nodes: () => nodes,
    node: (id) => byId.get(id),
    /** Resolves after the first read, even if it failed: the view is then empty until the database answers. */
    start: () => worker.start(),
    stop: () => worker.stop(),
  };
}

/** As they are on record at this moment, for whoever decides in a transaction. */
export async function readNodes(db: Pick<pg.ClientBase, "query">): Promise<NodeSnapshot[]> {
  const { rows } = await db.query<NodeSnapshot>(`
    SELECT id, name, host, port, zone, health, intent, writable, capacity_bytes AS "capacityBytes", free_bytes AS "freeBytes", weight, device,
           health_changed_at AS "healthChangedAt", maintenance_until AS "maintenanceUntil"
      FROM node ORDER BY id`);
  return rows;
}
