import type { ChunkId } from "../chunking/index.ts";
import type { NodeSnapshot } from "../membership/index.ts";
import { diskOf } from "./domains.ts";
import { drawOf } from "./draw.ts";
import { rankByLoad } from "./least-loaded.ts";
import type { PlacementPolicy, Ranker, Ranking } from "./policy.ts";
import { rankByRendezvous } from "./rendezvous.ts";
import { rankByRing } from "./ring.ts";

/** A policy made ready for some nodes, which all may be chosen and do not change: for whoever places many chunks. */
export interface Placer {
  /** All nodes, in the order in which the chunk should have them. */
  order(chunkId: ChunkId): NodeSnapshot[];
  /** The first `count` of that order, at a fraction of the price. */
  first(chunkId: ChunkId, count: number): NodeSnapshot[];
  /** Likewise, in no particular order, for a little less. */
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
  const fast = byNumber.filter(isFast);
  const disks = Map.groupBy(fast, diskOf);
  const disksShared = disks.size < fast.length;
  const disksPerZone = Map.groupBy(disks.values(), ([node]) => node!.zone)
    .values()
    .map((members) => members.length)
    .toArray();
  let rounds = roundsFor(1, disksPerZone);
  const order = (chunkId: ChunkId): NodeSnapshot[] => spread([...ranking(drawOf(chunkId))]);
  const choose = (chunkId: ChunkId, count: number): NodeSnapshot[] => {
    if (count > disks.size) return order(chunkId).slice(0, count);
    if (rounds.count !== count) rounds = roundsFor(count, disksPerZone);
    return firstOfZones(ranking(drawOf(chunkId)), rounds, disksShared);
  };
  return { order, choose, first: (chunkId, count) => spread(choose(chunkId, count)) };
}

/**
 * The best of every disk, then the second of every disk, and so on; within each of these rounds zones take turns. A slow node
 * never displaces a fast one.
 */
function spread(ranked: readonly NodeSnapshot[]): NodeSnapshot[] {
  const onDisk = new Map<string, number>();
  const slowLast = [...ranked.filter(isFast), ...ranked.filter((node) => !isFast(node))];
  const rounds = Map.groupBy(slowLast, (node) => {
    const disk = diskOf(node);
    const round = onDisk.get(disk) ?? 0; // how many better ones there are on its disk
    onDisk.set(disk, round + 1);
    return round + (isFast(node) ? 0 : ranked.length);
  });
  const inZone = new Map<string, number>();
  return [...rounds].toSorted(([a], [b]) => a - b).flatMap(([, round]) => zonesInTurn(round, inZone));
}

/** `inZone` counts those of earlier rounds, and of this one. */
function zonesInTurn(round: readonly NodeSnapshot[], inZone: Map<string, number>): NodeSnapshot[] {
  const placed = round.map((node) => {
    const place = inZone.get(node.zone) ?? 0;
    inZone.set(node.zone, place + 1);
    return { node, place };
  });
  return placed.toSorted((a, b) => a.place - b.place).map(({ node }) => node);
}

interface Rounds {
  count: number;
  /** So many copies every zone gets that has so many disks. */
  complete: number;
  /** So many zones, the best, get one more. */
  more: number;
}

function roundsFor(count: number, disksPerZone: readonly number[]): Rounds {
  const copiesIn = (rounds: number): number => disksPerZone.reduce((sum, size) => sum + Math.min(size, rounds), 0);
  let complete = 0;
  while (complete < count && copiesIn(complete + 1) <= count) complete++;
  return { count, complete, more: count - copiesIn(complete) };
}

/** Stops as soon as the rounds are full, and so asks for few of the ranked. */
function firstOfZones(ranked: ReturnType<Ranking>, { count, complete, more }: Rounds, disksShared: boolean): NodeSnapshot[] {
  const taken = new Map<string, number>();
  const disks = new Set<string>();
  const chosen: NodeSnapshot[] = [];
  let left = more;
  for (const node of ranked) {
    if (!isFast(node)) continue;
    if (disksShared && disks.size === disks.add(diskOf(node)).size) continue; // a better one is on its disk
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
