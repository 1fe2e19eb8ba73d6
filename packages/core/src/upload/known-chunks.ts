import type pg from "pg";
import { type ChunkId, chunkIdToBytes } from "../chunking/index.ts";
import { createGathering } from "../gathering/index.ts";
import type { Membership } from "../membership/index.ts";

/** What the database knew of a chunk before anybody wrote a copy of it. */
export interface ChunkLookup {
  /** How many copies can be reached, if it is live and they are enough to need no new ones. The same bytes then cost a reference and nothing more. */
  copies: number | undefined;
  /** The database's time of the lookup: every copy written for it is younger. */
  asOf: Date;
}

export type LookUpChunk = (id: ChunkId, copiesMin: number) => Promise<ChunkLookup>;

const LOOKED_UP_AT_ONCE = 256;

/** The chunks that all uploads of a process ask for at one moment are looked up together. */
export function createChunkLookup(pool: pg.Pool, membership: Membership): LookUpChunk {
  const ask = createGathering({ itemsMax: LOOKED_UP_AT_ONCE, work: (_, ids: readonly ChunkId[]) => readReplicas(pool, ids) });
  return async (id, copiesMin) => {
    const { replicas, asOf } = await ask("", id);
    const copies = replicas.filter((nodeId) => isReachable(membership, nodeId)).length;
    return { copies: copies >= copiesMin ? copies : undefined, asOf };
  };
}

interface FoundReplicas {
  replicas: number[];
  asOf: Date;
}

async function readReplicas(pool: pg.Pool, ids: readonly ChunkId[]): Promise<FoundReplicas[]> {
  const { rows } = await pool.query<{ replicas: number[] | null; asOf: Date }>({
    name: "upload-look-up-chunks",
    text: READ_REPLICAS,
    values: [ids.map(chunkIdToBytes)],
  });
  return rows.map(({ replicas, asOf }) => ({ replicas: replicas ?? [], asOf }));
}

/** One by one, and the state judged afterwards: there is an index of all live chunks, and reading it would look cheap for long. */
const READ_REPLICAS = `
  SELECT found.replicas, asked.as_of AS "asOf"
    FROM (SELECT id, place, clock_timestamp() AS as_of FROM unnest($1::bytea[]) WITH ORDINALITY AS given (id, place)) AS asked
    LEFT JOIN LATERAL (
      SELECT CASE WHEN state = 'live' THEN replicas END AS replicas FROM chunk WHERE chunk.id = asked.id LIMIT 1
    ) AS found ON true ORDER BY place`;

function isReachable(membership: Membership, nodeId: number): boolean {
  const health = membership.node(nodeId)?.health;
  return health === "up" || health === "slow";
}
