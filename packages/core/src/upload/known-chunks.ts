import type pg from "pg";
import { type ChunkId, chunkIdToBytes } from "../chunking/index.ts";
import type { Membership } from "../membership/index.ts";

/** What the database knew of a chunk before anybody wrote a copy of it. */
export interface ChunkLookup {
  /** How many copies can be reached, if it is live and they are enough to need no new ones. The same bytes then cost a reference and nothing more. */
  copies: number | undefined;
  /** The database's time of the lookup: every copy written for it is younger. */
  asOf: Date;
}

export async function lookUpChunk(pool: pg.Pool, membership: Membership, id: ChunkId, copiesMin: number): Promise<ChunkLookup> {
  const { rows } = await pool.query<{ replicas: number[] | null; asOf: Date }>({
    name: "upload-look-up-chunk",
    text: `SELECT (SELECT replicas FROM chunk WHERE id = $1 AND state = 'live') AS replicas, clock_timestamp() AS "asOf"`,
    values: [chunkIdToBytes(id)],
  });
  const { replicas, asOf } = rows[0]!;
  const copies = (replicas ?? []).filter((nodeId) => isReachable(membership, nodeId)).length;
  return { copies: copies >= copiesMin ? copies : undefined, asOf };
}

function isReachable(membership: Membership, nodeId: number): boolean {
  const health = membership.node(nodeId)?.health;
  return health === "up" || health === "slow";
}
