import type { NodeSnapshot } from "../membership/index.ts";
import type { ChunkDraw } from "./draw.ts";

export const placementPolicies = ["rendezvous", "least-loaded", "ring"] as const;

/**
 * How nodes are ranked for a chunk:
 * - `rendezvous`: by a draw weighted with capacity and weight. A change of the nodes moves the least there is to move.
 * - `least-loaded`: the emptiest first. What is stored already stays where it is until it is spread.
 * - `ring`: consistent hashing with virtual nodes. Moves little as well, and looks at no capacity.
 */
export type PlacementPolicy = (typeof placementPolicies)[number];

/** Every node once, the best for the chunk first. Lazy: whoever needs three of a thousand pays for about three. */
export type Ranking = (chunk: ChunkDraw) => Iterable<NodeSnapshot>;

/** A policy, made ready for some nodes. Zones, and who may be chosen at all, are no concern of it. */
export type Ranker = (nodes: readonly NodeSnapshot[]) => Ranking;
