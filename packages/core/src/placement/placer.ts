import type { ChunkId } from "../chunking/index.ts";
import type { NodeSnapshot } from "../membership/index.ts";
import { drawOf } from "./draw.ts";
import { rankByLoad } from "./least-loaded.ts";
import type { PlacementPolicy, Ranker, Ranking } from "./policy.ts";
import { rankByRendezvous } from "./rendezvous.ts";
import { rankByRing } from "./ring.ts";

/** A policy made ready for some nodes, which all may be chosen and do not change: for whoever places many chunks. */
export interface Placer {
  /** All nodes, in the order in which the chunk should have them. */
  order(chunkId: ChunkId): NodeSnapshot[];
  /** The first `count` of that order in no particular order, at a fraction of the price. */
  choose(chunkId: ChunkId, count: number): NodeSnapshot[];
}

const rankers: Record<PlacementPolicy, Ranker> = {
  rendezvous: rankByRendezvous,
  "least-loaded": rankByLoad,
  ring: rankByRing,
};

export function createPlacer(nodes: readonly NodeSnapshot[], policy: PlacementPolicy): Placer {
  const byNumber = nodes.toSorted((a, b) => a.id - b.id); // the answer depends on who they are, not on how they are listed
  const ranking = rankers[policy](byNumber);
  const fast = byNumber.filter((node) => node.health !== "slow");
  const fastPerZone = Map.groupBy(fast, ({ zone }) => zone)
    .values()
    .map((members) => members.length)
    .toArray();
  const order = (chunkId: ChunkId): NodeSnapshot[] => spreadOverZones([...ranking(drawOf(chunkId))]);
  let rounds = roundsFor(1, fastPerZone);
  return {
    order,
    choose(chunkId, count) {
      if (count >= fast.length) return order(chunkId).slice(0, count);
      if (rounds.count !== count) rounds = roundsFor(count, fastPerZone);
      return firstOfZones(ranking(drawOf(chunkId)), rounds);
    },
  };
}

/** The best of every zone, then the second of every zone, and so on; a slow node never displaces a fast one. */
function spreadOverZones(ranked: readonly NodeSnapshot[]): NodeSnapshot[] {
  const taken = new Map<string, number>();
  const slowLast = [...ranked.filter(isFast), ...ranked.filter((node) => !isFast(node))];
  const placed = slowLast.map((node) => {
    const place = taken.get(node.zone) ?? 0; // how many better ones there are in its zone
    taken.set(node.zone, place + 1);
    return { node, place };
  });
  return placed.toSorted((a, b) => Number(isFast(b.node)) - Number(isFast(a.node)) || a.place - b.place).map(({ node }) => node);
}

interface Rounds {
  count: number;
  /** So many copies every zone gets that has so many nodes. */
  complete: number;
  /** So many zones, the best, get one more. */
  more: number;
}

function roundsFor(count: number, nodesPerZone: readonly number[]): Rounds {
  const copiesIn = (rounds: number): number => nodesPerZone.reduce((sum, size) => sum + Math.min(size, rounds), 0);
  let complete = 0;
  while (complete < count && copiesIn(complete + 1) <= count) complete++;
  return { count, complete, more: count - copiesIn(complete) };
}

/** Stops as soon as the rounds are full, and so asks for few of the ranked. */
function firstOfZones(ranked: ReturnType<Ranking>, { count, complete, more }: Rounds): NodeSnapshot[] {
  const taken = new Map<string, number>();
  const chosen: NodeSnapshot[] = [];
  let left = more;
  for (const node of ranked) {
    if (!isFast(node)) continue;
    const place = taken.get(node.zone) ?? 0;
    if (place > complete || (place === complete && left === 0)) continue;
    if (place === complete) left--;
    taken.set(node.zone, place + 1);
    chosen.push(node);
    if (chosen.length === count) break;
  }
  return chosen;
}

function isFast(node: NodeSnapshot): boolean {
  return node.health !== "slow";
}
