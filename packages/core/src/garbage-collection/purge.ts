/** The last step: what has been in a node's trash for the grace goes for good. */
import type pg from "pg";
import type { Purged } from "../chunk-store/index.ts";
import { type ChunkId, chunkIdFromBytes, chunkIdToBytes } from "../chunking/index.ts";
import { limits } from "../kernel/index.ts";
import type { NodeCommands } from "../node-client/index.ts";

type TrashCommands = Pick<NodeCommands, "listTrash" | "restore" | "purgeTrash">;

export interface PurgeOptions {
  nodeId: number;
  epoch: number;
  graceMs: number;
  /** Copies each chunk should have, unless the cluster's row says otherwise. */
  replicas: number;
  signal: AbortSignal;
}

/**
 * Before anything goes, the whole trash is compared with the chunk rows. What a live chunk counts on there, or might need,
 * is taken back: this is the last moment at which any mistake made before can be undone.
 */
export async function purgeNode(pool: pg.Pool, commands: TrashCommands, options: PurgeOptions): Promise<Purged & { restored: number }> {
  const restored = await restoreNeeded(pool, commands, options);
  const total: Purged = { chunks: 0, bytes: 0 };
  for (let more = true; more && !options.signal.aborted;) {
    const { chunks, bytes } = await commands.purgeTrash(options.graceMs, options.epoch);
    total.chunks += chunks;
    total.bytes += bytes;
    more = chunks >= limits.purgeChunksMax;
  }
  return { ...total, restored };
}

async function restoreNeeded(pool: pg.Pool, commands: TrashCommands, { nodeId, epoch, replicas }: PurgeOptions): Promise<number> {
  let restored = 0;
  for (let after: ChunkId | undefined; ;) {
    const page = await commands.listTrash(after, limits.listPageMax);
    if (page.length === 0) return restored;
    const ids = page.map(({ id }) => id);
    const needed = await findNeeded(pool, ids, { nodeId, replicas });
    if (needed.length > 0) restored += (await commands.restore(needed, epoch)).length;
    after = page.at(-1)!.id;
  }
}

/** As `isWithinReach` has it, at this moment. */
const REACHABLE_COPIES = "(SELECT count(*) FROM node WHERE node.id = ANY (replicas) AND health IN ('up', 'slow') AND intent <> 'removed')";

/** A second copy is what makes one safe to lose, where more than one is wanted at all. */
const ENOUGH_COPIES = "least(2, coalesce((SELECT replicas FROM cluster), $3::int))";

/**
 * Live chunks that count on this node's copy, or have too few others within reach: a copy that was given up when there were
 * others may be the last one, now that their nodes are away.
 */
async function findNeeded(
  pool: pg.Pool,
  ids: readonly ChunkId[],
  { nodeId, replicas }: Pick<PurgeOptions, "nodeId" | "replicas">,
): Promise<ChunkId[]> {
  const { rows } = await pool.query<{ id: Buffer }>({
    name: "garbage-needed",
    text: `SELECT id FROM chunk WHERE id = ANY ($1::bytea[])
              AND (state = 'live' AND ($2::smallint = ANY (replicas) OR ${REACHABLE_COPIES} < ${ENOUGH_COPIES})
                   OR EXISTS (SELECT FROM extent WHERE extent.chunk_id = chunk.id) AND state <> 'live')`,
    values: [ids.map(chunkIdToBytes), nodeId, replicas],
  });
  return rows.map(({ id }) => chunkIdFromBytes(id));
}
