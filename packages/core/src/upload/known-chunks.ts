import type pg from "pg";
import { type ChunkId, chunkIdToBytes } from "../chunking/index.ts";
import type { Membership } from "../membership/index.ts";

/**
 * How many copies of this chunk can be reached, if it is live and they are enough to need no new ones; else undefined.
 * The same bytes then cost a reference and nothing more.
 */
export async function findKnownChunk(pool: pg.Pool, membership: Membership, id: ChunkId, copiesMin: number): Promise<number | undefined> {
  const { rows } = await pool.query<{ replicas: number[] }>({
    name: "upload-known-chunk",
    text: "SELECT replicas FROM chunk WHERE id = $1 AND state = 'live'",
    values: [chunkIdToBytes(id)],
  });
  const copies = (rows[0]?.replicas ?? []).filter((nodeId) => isReachable(membership, nodeId)).length;
  return copies >= copiesMin ? copies : undefined;
}

function isReachable(membership: Membership, nodeId: number): boolean {
  const health = membership.node(nodeId)?.health;
  return health === "up" || health === "slow";
}
