/** "This node holds this chunk": believed when the node has read it back, and recorded by the leader alone. */
import type pg from "pg";
import { ChunkStoreError } from "../chunk-store/index.ts";
import { type ChunkId, chunkIdFromBytes, chunkIdToBytes } from "../chunking/index.ts";
import { createCopyRecorder } from "../healing/index.ts";
import { type Clock, limits, systemClock } from "../kernel/index.ts";
import type { Leadership } from "../leadership/index.ts";
import { MembershipError } from "../membership/index.ts";
import type { NodeAddress, NodeCommands } from "../node-client/index.ts";
import { ControllerError } from "./errors.ts";
import { type NodeLocation, readNodeLocations } from "./node-locations.ts";

export interface StoredReplica {
  chunkId: ChunkId;
  nodeId: number;
}

export interface ReplicaVerdict extends StoredReplica {
  recorded: boolean;
  /** Empty when it was recorded. */
  refusal: string;
}

export interface ReplicaReportsOptions {
  pool: pg.Pool;
  leadership: Leadership;
  clients: { commandsFor(node: NodeAddress): Pick<NodeCommands, "verify"> };
  clock?: Clock;
}

/** Whoever reports waits for it. */
const GATHER_MS = 5;

/** Rejects with `leader.not_us`, `chunk.unknown` or `node.unknown`; nothing is recorded then. */
export type RecordReplicas = (replicas: readonly StoredReplica[]) => Promise<ReplicaVerdict[]>;

export function createReplicaReports({ pool, leadership, clients, clock = systemClock }: ReplicaReportsOptions): RecordReplicas {
  const recorder = createCopyRecorder((work) => leadership.fenced(work), { clock, gatherMs: GATHER_MS });

  const judge = async (replica: StoredReplica, nodes: ReadonlyMap<number, NodeLocation>): Promise<ReplicaVerdict> => {
    const { chunkId, nodeId } = replica;
    const { host, port } = nodes.get(nodeId)!;
    const askedAtMs = clock.monotonicMs();
    const refusal = await clients
      .commandsFor({ id: nodeId, host, port })
      .verify(chunkId)
      .then(() => "", refusalOf);
    if (refusal !== "") return { ...replica, recorded: false, refusal };
    const recorded = await recorder.record(chunkId, nodeId, askedAtMs);
    return { ...replica, recorded, refusal: recorded ? "" : "chunk.not_live" };
  };

  return async (replicas) => {
    leadership.requireEpoch();
    await requireKnown(
      pool,
      replicas.map(({ chunkId }) => chunkId),
    );
    const locations = await readNodeLocations(
      pool,
      replicas.map(({ nodeId }) => nodeId),
    );
    const nodes = new Map(locations.map((node) => [node.nodeId, node]));
    const stranger = replicas.find(({ nodeId }) => !nodes.has(nodeId));
    if (stranger !== undefined) throw new MembershipError("node.unknown", `There is no node ${stranger.nodeId}.`);
    return await inTurns(replicas, (replica) => judge(replica, nodes));
  };
}

async function requireKnown(pool: pg.Pool, ids: readonly ChunkId[]): Promise<void> {
  const { rows } = await pool.query<{ id: Buffer }>("SELECT id FROM chunk WHERE id = ANY ($1)", [ids.map(chunkIdToBytes)]);
  const known = new Set(rows.map(({ id }) => chunkIdFromBytes(id)));
  const unknown = ids.find((id) => !known.has(id));
  if (unknown !== undefined) throw new ControllerError("chunk.unknown", `No file refers to a chunk ${unknown}.`, { chunkId: unknown });
}

/** A few at once: each has a node read a chunk. */
async function inTurns<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const rest = items.entries();
  const lane = async (): Promise<void> => {
    for (const [index, item] of rest) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: limits.replicaReportsAtOnce }, lane));
  return results;
}

/** Only what the node itself found is held against the copy. */
function refusalOf(error: unknown): string {
  const code = error instanceof ChunkStoreError ? error.code : undefined;
  return code === "chunk.corrupt" || code === "chunk.not_found" ? code : "store.unreachable";
}
