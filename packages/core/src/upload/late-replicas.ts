import type pg from "pg";
import { type ChunkId, chunkIdToBytes } from "../chunking/index.ts";
import type { Logger } from "../kernel/index.ts";

/** How long replicas are gathered before they are written down together. */
const GATHER_MS = 100;

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
      const values = [replicas.map(({ id }) => chunkIdToBytes(id)), replicas.map(({ nodeId }) => nodeId)];
      await pool.query({ name: "upload-late-replicas", text: ADD_REPLICAS, values });
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
    SELECT * FROM unnest($1::bytea[], $2::smallint[]) AS added (id, node_id)
  ), locked AS MATERIALIZED (
    SELECT id FROM chunk WHERE id = ANY ($1::bytea[]) ORDER BY id FOR UPDATE
  )
  UPDATE chunk SET replicas = ARRAY(SELECT unnest(replicas) UNION SELECT node_id FROM late WHERE late.id = chunk.id ORDER BY 1)
   WHERE id = ANY (ARRAY(SELECT id FROM locked)) AND NOT replicas @> ARRAY(SELECT node_id FROM late WHERE late.id = chunk.id)`;
