import type pg from "pg";
import { readNodes } from "../membership/index.ts";
import type { PlacementPolicy } from "../placement/index.ts";
import type { ClusterSettings, TopologyView } from "./change.ts";

/** What the environment says, where no operator has said otherwise. */
export interface SettingDefaults {
  replicas: number;
  writeQuorum: number;
}

type Db = Pick<pg.ClientBase, "query">;

export async function readSettings(
  db: Db,
  { replicas, writeQuorum }: SettingDefaults,
): Promise<ClusterSettings & { healingPaused: boolean }> {
  const { rows } = await db.query<{ replicas: number | null; policy: PlacementPolicy; healingPaused: boolean }>(
    `SELECT replicas, placement_policy AS policy, healing_paused AS "healingPaused" FROM cluster`,
  );
  const cluster = rows[0];
  return {
    replicas: cluster?.replicas ?? replicas,
    policy: cluster?.policy ?? "rendezvous",
    healingPaused: cluster?.healingPaused ?? false,
    writeQuorum,
  };
}

/** The cluster as it is on record now, and not as a cache remembers it. */
export async function readView(db: Db, defaults: SettingDefaults): Promise<TopologyView> {
  const settings = await readSettings(db, defaults);
  return { settings, nodes: await readNodes(db) };
}
