/**
 * Makes a chunk durable on several nodes.
 *
 * All copies are sent at once. A write counts when the quorum has answered "durable"; the remaining copies are its tail,
 * which goes on while the caller already continues. A node that fails is replaced by the next one at once; one that says
 * nothing for much longer than the others is passed over. What can go wrong: too few nodes take the chunk. Then the
 * write fails and says which nodes are away; one copy alone is never called a success.
 *
 * A copy that the tail could not make is not forgotten: the chunk's row lists the replicas there are, and a chunk with
 * fewer than wanted is what repair looks for.
 */
import { ChunkStoreError } from "../chunk-store/index.ts";
import type { ChunkId } from "../chunking/index.ts";
import { type Clock, limits, type Logger, systemClock } from "../kernel/index.ts";
import type { Membership, NodeSnapshot } from "../membership/index.ts";
import type { NodeClients } from "../node-client/index.ts";
import { type Attempt, createNodeStandings, type NodeStandings } from "../node-standing/index.ts";
import { choosePlacement, type PlacementPolicy } from "../placement/index.ts";
import { tooFewNodes } from "./refusal.ts";
import { ReplicatedWrite } from "./replicated-write.ts";

export interface ChunkReplicator {
  /** How many copies a chunk should have, and how many make it safe enough to acknowledge. */
  readonly replicas: number;
  readonly writeQuorum: number;
  /**
   * Resolves when `writeQuorum` nodes hold the chunk durably. Rejects with a `ReplicationError`; no node uses `bytes` any
   * more then. Until the tail ends, `bytes` must not change.
   */
  write(id: ChunkId, bytes: Buffer): Promise<ReplicatedChunk>;
}

export interface ReplicatedChunk {
  /** The nodes that hold it, at least `writeQuorum` of them. */
  nodeIds: readonly number[];
  /** How many copies there will be if the tail goes well: fewer than `replicas` while nodes are away. */
  copiesExpected: number;
  /** Never rejects, and ends within the patience for each node that is still tried. */
  tail: Promise<ReplicationTail>;
}

export interface ReplicationTail {
  /** The nodes that hold the chunk besides those reported before. */
  nodeIds: readonly number[];
  /** True when a node that was passed over may still be reading `bytes`: the buffer must be left to it. */
  bytesInUse: boolean;
}

/** What an operator wants at this moment. */
export interface CopyOrders {
  replicas: number;
  policy: PlacementPolicy;
}

export interface ChunkReplicatorOptions {
  membership: Membership;
  clients: Pick<NodeClients, "clientFor">;
  replicas: number;
  writeQuorum: number;
  /** Asked for each chunk; by default nobody orders anything. */
  orders?: () => CopyOrders;
  logger: Logger;
  /** Shared with the gateway's readers; its own by default. */
  standings?: NodeStandings;
  clock?: Clock;
  patienceMs?: number;
}

export function createChunkReplicator({
  membership,
  clients,
  replicas: replicasByDefault,
  writeQuorum,
  orders = () => ({ replicas: replicasByDefault, policy: "rendezvous" }),
  logger,
  clock = systemClock,
  standings = createNodeStandings({ membership, clock }),
  patienceMs = limits.replicaPatienceMs,
}: ChunkReplicatorOptions): ChunkReplicator {
  const onFailed = (node: NodeSnapshot, attempt: Attempt, error?: unknown): void => {
    const code = error instanceof ChunkStoreError ? error.code : undefined;
    if (code?.startsWith("chunk.")) return attempt.abandoned(); // about these bytes, not about the node
    const reason = code ?? error ?? "no answer in time";
    if (attempt.failed()) logger.warn({ node: node.name, reason }, "chunks go to other nodes");
  };
  const onAcknowledged = (node: NodeSnapshot, attempt: Attempt): void => {
    if (attempt.succeeded()) logger.info({ node: node.name }, "chunks go to this node again");
  };
  const isAvoided = (node: NodeSnapshot): boolean => standings.isAvoided(node.id, "writing");

  return {
    get replicas() {
      return orders().replicas;
    },
    writeQuorum,
    async write(id, bytes) {
      const nodes = membership.nodes();
      const { replicas, policy } = orders();
      const { nodes: chosen, fallbacks, why } = choosePlacement(id, nodes, replicas, policy);
      const inOrder = [...chosen, ...fallbacks];
      const attempts = new Map<number, Attempt>();
      const write = new ReplicatedWrite({
        preferred: inOrder.filter((node) => !isAvoided(node)),
        avoided: inOrder.filter(isAvoided),
        copies: replicas,
        quorum: writeQuorum,
        patienceMs,
        tailPatienceMs: Math.min(patienceMs, limits.replicaTailPatienceMs),
        put: (node) => {
          attempts.set(node.id, standings.beginWrite(node.id));
          return clients.clientFor(node).put(id, bytes);
        },
        onAcknowledged: (node) => onAcknowledged(node, attempts.get(node.id)!),
        onFailed: (node, error) => onFailed(node, attempts.get(node.id)!, error),
        clock,
      });
      const outcome = await write.outcome;
      if (outcome.chunk === undefined) throw tooFewNodes({ ...outcome, refused: why.refused, nodes, writeQuorum });
      return outcome.chunk;
    },
  };
}
