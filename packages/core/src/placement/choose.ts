/**
 * Says which nodes should hold a chunk.
 *
 * Rendezvous hashing: every node draws a score for the chunk, weighted by its capacity, and the highest win. No table and
 * no memory: each gateway computes the same answer from the same nodes, and a node that joins or leaves moves only the
 * chunks that are its own. Copies spread over zones as evenly as the zones allow, because what fails together should not
 * hold two copies. A slow node is taken only when there are not enough others.
 *
 * Pure. Where a chunk really went is in its row; this is asked only for new chunks and for where a copy ought to be.
 */
import type { ChunkId } from "../chunking/index.ts";
import type { NodeSnapshot } from "../membership/index.ts";
import { checkPlacement } from "./check.ts";

export interface Placement {
  /** Where the copies go, best first: as many as were asked for, fewer when there are not enough nodes. */
  nodes: readonly NodeSnapshot[];
  /** Who takes over when one of them fails, in this order. */
  fallbacks: readonly NodeSnapshot[];
  why: PlacementReasons;
}

export interface PlacementReasons {
  policy: "rendezvous";
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

/** `count` is at least 1. */
export function choosePlacement(chunkId: ChunkId, nodes: readonly NodeSnapshot[], count: number): Placement {
  const refused: Refusal[] = [];
  const eligible: NodeSnapshot[] = [];
  for (const node of nodes) {
    const reason = refusalOf(node);
    if (reason === undefined) eligible.push(node);
    else refused.push({ node, reason });
  }

  const ordered = spread(draw(chunkId, eligible));
  const placement: Placement = {
    nodes: ordered.slice(0, count),
    fallbacks: ordered.slice(count),
    why: { policy: "rendezvous", eligible: eligible.length, refused },
  };
  checkPlacement(placement, nodes, count);
  return placement;
}

function refusalOf({ health, intent, writable }: NodeSnapshot): RefusalReason | undefined {
  if (intent !== "active") return intent;
  if (health === "down" || health === "suspect") return health;
  return writable ? undefined : "not-writable";
}

interface Candidate {
  node: NodeSnapshot;
  slow: boolean;
  score: number;
  /** How many better ones there are in its zone. */
  place: number;
}

/** Fast nodes first, then slow ones; within each, the highest score first. */
function draw(chunkId: ChunkId, nodes: readonly NodeSnapshot[]): Candidate[] {
  const high = Number.parseInt(chunkId.slice(0, 8), 16);
  const low = Number.parseInt(chunkId.slice(8, 16), 16);
  const candidates = nodes.map((node) => ({ node, slow: node.health === "slow", score: scoreOf(high, low, node), place: 0 }));
  return candidates.toSorted((a, b) => Number(a.slow) - Number(b.slow) || b.score - a.score);
}

/** The best of every zone, then the second of every zone, and so on; a slow node never displaces a fast one. */
function spread(candidates: Candidate[]): NodeSnapshot[] {
  const taken = new Map<string, number>();
  for (const candidate of candidates) {
    const { zone } = candidate.node;
    candidate.place = taken.get(zone) ?? 0;
    taken.set(zone, candidate.place + 1);
  }
  return candidates.toSorted((a, b) => Number(a.slow) - Number(b.slow) || a.place - b.place).map(({ node }) => node);
}

/** The weighted draw: twice the capacity wins twice as often, whoever else takes part. */
function scoreOf(high: number, low: number, node: NodeSnapshot): number {
  const draw = mix(mix(high ^ Math.imul(node.id, 0x9e3779b1)) ^ low);
  const uniform = (draw + 0.5) / 2 ** 32; // strictly between 0 and 1
  return -Math.max(node.capacityBytes, 1) / Math.log(uniform);
}

/** Murmur3's finaliser: every bit of the input changes half the bits of the output. Unsigned. */
function mix(value: number): number {
  let bits = value;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
