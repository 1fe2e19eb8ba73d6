/** Where chunks should go that a program is about to store: what a gateway decides for itself, for those who are none. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type pg from "pg";
import { type ChunkId, chunkIdFromBytes, chunkIdToBytes } from "../chunking/index.ts";
import { limits } from "../kernel/index.ts";
import { readNodes } from "../membership/index.ts";
import { choosePlacement } from "../placement/index.ts";
import type { GetUploadPlanResponseSchema } from "../protocol/index.ts";
import { readSettings } from "../topology/index.ts";
import { ControllerError } from "./errors.ts";
import { readNodeLocations } from "./node-locations.ts";

/** `replicas` is what the environment says. Rejects with `cluster.too_few_nodes`. */
export async function planUpload(
  pool: pg.Pool,
  ids: readonly ChunkId[],
  replicas: number,
): Promise<MessageInitShape<typeof GetUploadPlanResponseSchema>> {
  const [nodes, settings, holders] = await Promise.all([
    readNodes(pool),
    readSettings(pool, { replicas, writeQuorum: limits.writeQuorum }),
    readHolders(pool, ids),
  ]);
  const chunks = ids.map((id) => ({
    id,
    nodeIds: choosePlacement(id, nodes, settings.replicas, settings.policy).nodes.map((node) => node.id),
    heldBy: holders.get(id) ?? [],
  }));
  const fewest = Math.min(...chunks.map(({ nodeIds }) => nodeIds.length));
  if (fewest < settings.writeQuorum) throw tooFewNodes(fewest, settings.writeQuorum);
  const named = chunks.flatMap(({ nodeIds, heldBy }) => [...nodeIds, ...heldBy]);
  return { chunks, writeQuorum: settings.writeQuorum, nodes: await readNodeLocations(pool, named) };
}

async function readHolders(pool: pg.Pool, ids: readonly ChunkId[]): Promise<Map<ChunkId, number[]>> {
  const { rows } = await pool.query<{ id: Buffer; replicas: number[] }>(
    "SELECT id, replicas FROM chunk WHERE id = ANY ($1) AND state = 'live'",
    [ids.map(chunkIdToBytes)],
  );
  return new Map(rows.map(({ id, replicas }) => [chunkIdFromBytes(id), replicas]));
}

function tooFewNodes(available: number, writeQuorum: number): ControllerError {
  return new ControllerError(
    "cluster.too_few_nodes",
    `Only ${available} nodes take chunks, and a write counts with ${writeQuorum}. Start the missing nodes or add some.`,
    { available },
  );
}
