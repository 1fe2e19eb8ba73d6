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
  healthChangedAt: Date;
  inventoriedAt: Date | null;
}

/** Removed ones included. */
export async function readKnownNodes(db: Pick<pg.ClientBase, "query">): Promise<KnownNode[]> {
  const { rows } = await db.query<KnownNode>(
    `SELECT id, name, host, port, boot_id AS "bootId", health, intent, health_changed_at AS "healthChangedAt", inventoried_at AS "inventoriedAt"
       FROM node ORDER BY id`,
  );
  return rows;
}

export function isWithinReach({ health, intent }: Pick<KnownNode, "health" | "intent">): boolean {
  return intent !== "removed" && (health === "up" || health === "slow");
}
