/**
 * Consistent hashing: each node stands at 150 points of a ring, times its weight, and a chunk goes to the first different
 * nodes clockwise from its own point. Capacity plays no part: shares that depend on the others' disks would move every
 * node's points whenever one joins. An operator of unlike disks gives them weights.
 */
import type { NodeSnapshot } from "../membership/index.ts";
import { mix, seedOf } from "./draw.ts";
import type { Ranker } from "./policy.ts";

const POINTS_PER_NODE = 150;
/** Rings kept: of the nodes as they are, and of a few that somebody plans with. */
const RINGS_KEPT = 4;
/** A point and the position of its node, sorted together as one exact number below 2^53. */
const POSITIONS_MAX = 2 ** 20;

interface Ring {
  /** Ascending. */
  points: Uint32Array;
  /** Whose point it is, as a position among the ring's nodes. */
  owners: Uint32Array;
}

export const rankByRing: Ranker = (nodes) => {
  const { points, owners } = ringOf(nodes);
  return function* ({ high, low }) {
    const seen = new Set<number>();
    const start = firstAtOrAfter(points, mix(mix(high) ^ low));
    for (let step = 0; step < points.length && seen.size < nodes.length; step++) {
      const owner = owners[(start + step) % points.length]!;
      if (seen.has(owner)) continue;
      seen.add(owner);
      yield nodes[owner]!;
    }
  };
};

const rings = new Map<string, Ring>();

/** A large cluster's ring takes tens of milliseconds to build, and the view of its nodes is renewed every second. */
function ringOf(nodes: readonly NodeSnapshot[]): Ring {
  const key = nodes.map(({ id, weight }) => `${id}×${weight}`).join(" ");
  const ring = rings.get(key) ?? buildRing(nodes);
  rings.delete(key);
  rings.set(key, ring); // the latest used comes last
  if (rings.size > RINGS_KEPT) rings.delete(rings.keys().next().value!);
  return ring;
}

function buildRing(nodes: readonly NodeSnapshot[]): Ring {
  const sorted = Float64Array.from(
    nodes.flatMap(({ id, weight }, position) =>
      Array.from({ length: pointsOf(weight) }, (_, number) => mix(mix(seedOf(id)) ^ number) * POSITIONS_MAX + position),
    ),
  ).toSorted();
  return {
    points: Uint32Array.from(sorted, (point) => Math.floor(point / POSITIONS_MAX)),
    owners: Uint32Array.from(sorted, (point) => point % POSITIONS_MAX),
  };
}

function pointsOf(weight: number): number {
  return Math.max(1, Math.round(POINTS_PER_NODE * weight));
}

/** The place of the first point that is not smaller; beyond the last when there is none. */
function firstAtOrAfter(points: Uint32Array, wanted: number): number {
  let low = 0;
  let high = points.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (points[middle]! < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
