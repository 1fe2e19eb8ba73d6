import { type ChunkId, chunkIdFromBytes, chunkIdToBytes } from "../chunking/index.ts";
import { type Clock, limits } from "../kernel/index.ts";
import type { Leadership } from "../leadership/index.ts";

interface MadeCopy {
  id: ChunkId;
  nodeId: number;
  askedAtMs: number;
  recorded: (isLive: boolean) => void;
  failed: (error: unknown) => void;
}

export interface CopyRecorder {
  /**
   * Adds a copy that was read back to its chunk's row. False when it does not count: the chunk is not live any more, or a node
   * may have obeyed an order to trash a copy since this one was asked for (`askedAtMs`, monotonic). The row stays as it is then,
   * and what the node has is nobody's, for the comparison of inventories to find. Rejects with `leader.not_us`, and with
   * whatever the database fails with: the copy may or may not be recorded then, and may be made again.
   */
  record(id: ChunkId, nodeId: number, askedAtMs: number): Promise<boolean>;
}

export interface CopyRecorderOptions {
  clock: Clock;
  /** How long copies are gathered before they are written down together. */
  gatherMs: number;
}

/** Several copies go into one statement of one fenced transaction. */
export function createCopyRecorder(fenced: Leadership["fenced"], { clock, gatherMs }: CopyRecorderOptions): CopyRecorder {
  let gathered: MadeCopy[] = [];
  let timer: NodeJS.Timeout | undefined;

  const write = async (copies: readonly MadeCopy[]): Promise<void> => {
    try {
      const live = await fenced(async (tx) => {
        const agesMs = copies.map(({ askedAtMs }) => Math.ceil(clock.monotonicMs() - askedAtMs));
        const values = [copies.map(({ id }) => chunkIdToBytes(id)), copies.map(({ nodeId }) => nodeId), agesMs];
        const { rows } = await tx.query<{ id: Buffer }>({ name: "healing-record-copies", text: RECORD_COPIES, values });
        return new Set(rows.map(({ id }) => chunkIdFromBytes(id)));
      });
      for (const copy of copies) copy.recorded(live.has(copy.id));
    } catch (error) {
      for (const copy of copies) copy.failed(error);
    }
  };
  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    const copies = gathered;
    gathered = [];
    void write(copies);
  };

  return {
    record: (id, nodeId, askedAtMs) =>
      new Promise((recorded, failed) => {
        gathered.push({ id, nodeId, askedAtMs, recorded, failed });
        if (gathered.length >= limits.healingCopiesPerCommit) flush();
        else timer ??= setTimeout(flush, gatherMs);
      }),
  };
}

/** Locked in the order of their ids, as every statement does that changes several chunks. Returns those whose copies count. */
const RECORD_COPIES = `
  WITH made AS (
    SELECT id, array_agg(DISTINCT node_id) AS nodes, max(age_ms) AS age_ms
      FROM unnest($1::bytea[], $2::smallint[], $3::bigint[]) AS copy (id, node_id, age_ms) GROUP BY id
  ), locked AS (
    SELECT id, made.nodes FROM chunk JOIN made USING (id)
     WHERE state = 'live' AND (trashing_until IS NULL OR trashing_until < clock_timestamp() - made.age_ms * interval '1 millisecond')
     ORDER BY id FOR UPDATE OF chunk
  )
  UPDATE chunk SET replicas = ARRAY(SELECT unnest(replicas) UNION SELECT unnest(locked.nodes) ORDER BY 1)
    FROM locked WHERE chunk.id = locked.id
  RETURNING chunk.id`;
