import type { NodeHealth, NodeIntent } from "@holdfast/db";
import type pg from "pg";

/** A node as the controller's own workers see it: from the table at this moment, because what they do cannot wait for a view to be refreshed. */
export interface KnownNode {
  id: number;
  name: string;
  host: string;
  port: number;
  bootId: string;
  health: NodeHealth;
  intent: NodeIntent;
  /** Chunks that it set aside since it was started. */
  corruptChunks: number;
  /** Since its holdings were last compared; null when they never were. */
  inventoryAgeMs: number | null;
  /** How long before the end of that comparison its health changed, or after: then it is negative. */
  changedBeforeInventoryMs: number | null;
}

/** Removed ones included. */
export async function readKnownNodes(db: Pick<pg.ClientBase, "query">): Promise<KnownNode[]> {
  const { rows } = await db.query<KnownNode>(
    `SELECT id, name, host, port, boot_id AS "bootId", health, intent, corrupt_chunks AS "corruptChunks",
            extract(epoch FROM now() - inventoried_at)::float * 1000 AS "inventoryAgeMs",
            extract(epoch FROM inventoried_at - health_changed_at)::float * 1000 AS "changedBeforeInventoryMs"
       FROM node ORDER BY id`,
  );
  return rows;
}

export function isWithinReach({ health, intent }: Pick<KnownNode, "health" | "intent">): boolean {
  return intent !== "removed" && (health === "up" || health === "slow");
}
