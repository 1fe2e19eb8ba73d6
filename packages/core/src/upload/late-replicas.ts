import type pg from "pg";
import { type ChunkId, chunkIdToBytes } from "../chunking/index.ts";
import type { Logger } from "../kernel/index.ts";

/** How long replicas are gathered before they are written down together. */
const GATHER_MS = 20;

/** Adds the replicas that became durable after their chunk was committed to its row. */
export interface LateReplicas {
  add(id: ChunkId, nodeIds: readonly number[]): void;
  /** Resolves when all that was added has been written, or given up. */
  flush(): Promise<void>;
}

/** What cannot be written is only logged: a replica nobody knows of is a surplus copy, and repair makes another. */
export function createLateReplicas({ pool, logger }: { pool: pg.Pool; logger: Logger }): LateReplicas {
  let gathered: { id: ChunkId; nodeId: number }[] = [];
  let timer: NodeJS.Timeout | undefined;
  let writing = Promise.resolve();

  const write = async (replicas: typeof gathered): Promise<void> => {
    try {
      await pool.query(ADD_REPLICAS, [replicas.map(({ id }) => chunkIdToBytes(id)), replicas.map(({ nodeId }) => nodeId)]);
    } catch (error) {
      logger.warn({ err: error, replicas: replicas.length }, "late replicas could not be recorded");
    }
  };

  const flush = (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    const replicas = gathered;
    gathered = [];
    if (replicas.length > 0) writing = writing.then(() => write(replicas));
    return writing;
  };

  return {
    add(id, nodeIds) {
      for (const nodeId of nodeIds) gathered.push({ id, nodeId });
      if (gathered.length > 0) timer ??= setTimeout(() => void flush(), GATHER_MS);
    },
    flush,
  };
}

/** Locked in the order of their ids, as every statement does that changes several chunks. */
const ADD_REPLICAS = `
  WITH late AS (
    SELECT id, array_agg(DISTINCT node_id) AS nodes FROM unnest($1::bytea[], $2::smallint[]) AS added (id, node_id) GROUP BY id
  ), locked AS (
    SELECT id, late.nodes FROM chunk JOIN late USING (id) ORDER BY id FOR UPDATE OF chunk
  )
  UPDATE chunk SET replicas = ARRAY(SELECT unnest(replicas) UNION SELECT unnest(locked.nodes) ORDER BY 1)
    FROM locked WHERE chunk.id = locked.id AND NOT replicas @> locked.nodes`;
