/**
 * Says which nodes should hold a chunk.
 *
 * A policy ranks the nodes for the chunk. Copies spread over disks, and over zones as evenly as these allow, because what fails
 * together should not hold two copies. A slow node is taken only when there are not enough others. No table and no memory:
 * each gateway computes the same answer from the same nodes.
 *
 * Pure. Where a chunk really went is in its row; this is asked only for new chunks and for where a copy ought to be.
 */
import type { ChunkId } from "../chunking/index.ts";
import type { NodeSnapshot } from "../membership/index.ts";
import { checkPlacement } from "./check.ts";
import { createPlacer, type Placer } from "./placer.ts";
import type { PlacementPolicy } from "./policy.ts";

export interface Placement {
  /** Where the copies go, best first: as many as were asked for, fewer when there are not enough nodes. */
  nodes: readonly NodeSnapshot[];
  /** Who takes over when one of them fails, in this order. */
  fallbacks: readonly NodeSnapshot[];
  why: PlacementReasons;
}

export interface PlacementReasons {
  policy: PlacementPolicy;
  /** How many nodes could have been chosen. */
  eligible: number;
  /** Nodes that were not considered. */
  refused: readonly Refusal[];
}

export interface Refusal {
  node: NodeSnapshot;
  reason: RefusalReason;
}

export type RefusalReason = "down" | "suspect" | "draining" | "maintenance" | "removed" | "not-writable";

/** `count` is at least 1. Neither the array nor its nodes may change afterwards: what they imply is remembered with them. */
export function choosePlacement(
  chunkId: ChunkId,
  nodes: readonly NodeSnapshot[],
  count: number,
  policy: PlacementPolicy = "rendezvous",
): Placement {
  const { placer, eligible, refused } = candidacyOf(nodes, policy);
  const ordered = placer.order(chunkId);
  const placement: Placement = {
    nodes: ordered.slice(0, count),
    fallbacks: ordered.slice(count),
    why: { policy, eligible, refused },
  };
  checkPlacement(placement, nodes, count);
  return placement;
}

/** For whoever decides about many chunks and checks by himself: made once for an array, of those in it that take chunks. */
export function placerFor(nodes: readonly NodeSnapshot[], policy: PlacementPolicy = "rendezvous"): Placer {
  return candidacyOf(nodes, policy).placer;
}

/** Undefined when the node may take a new chunk. */
export function refusalOf({ health, intent, writable }: NodeSnapshot): RefusalReason | undefined {
  if (intent !== "active") return intent;
  if (health === "down" || health === "suspect") return health;
  return writable ? undefined : "not-writable";
}

/** Who stands for election among some nodes. */
interface Candidacy {
  placer: Placer;
  eligible: number;
  refused: readonly Refusal[];
}

const candidacies = new WeakMap<readonly NodeSnapshot[], Map<PlacementPolicy, Candidacy>>();

function candidacyOf(nodes: readonly NodeSnapshot[], policy: PlacementPolicy): Candidacy {
  let ofPolicies = candidacies.get(nodes);
  if (ofPolicies === undefined) candidacies.set(nodes, (ofPolicies = new Map()));
  let candidacy = ofPolicies.get(policy);
  if (candidacy === undefined) ofPolicies.set(policy, (candidacy = examine(nodes, policy)));
  return candidacy;
}

function examine(nodes: readonly NodeSnapshot[], policy: PlacementPolicy): Candidacy {
  const refused: Refusal[] = [];
  const eligible: NodeSnapshot[] = [];
  for (const node of nodes) {
    const reason = refusalOf(node);
    if (reason === undefined) eligible.push(node);
    else refused.push({ node, reason });
  }
  return { placer: createPlacer(eligible, policy), eligible: eligible.length, refused };
}
