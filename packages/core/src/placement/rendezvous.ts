/**
 * Rendezvous hashing: every node draws a score for the chunk, weighted by its capacity and weight, and the highest win.
 * No table: whoever knows the nodes computes the same answer, and a node that joins or leaves moves only its own chunks.
 *
 * The logarithm of the weighted draw is what costs, and nearly every draw is hopeless. So a bar is worked out beforehand
 * that about sixteen nodes clear, whichever the chunk, and for each node the draw it needs to clear it; only those get a
 * score. The ranking is exactly the same. When those above the bar do not suffice, the next bar is lower, the last at 0.
 */
import type { NodeSnapshot } from "../membership/index.ts";
import { type ChunkDraw, nodeDraw, seedOf } from "./draw.ts";
import type { Ranker } from "./policy.ts";

const ABOVE_FIRST_BAR = 16;
const BAR_FACTOR = 8;

interface Bar {
  score: number;
  /** By position of the node: draws below this stay below the bar. */
  drawsNeeded: Uint32Array;
}

interface Contender {
  node: NodeSnapshot;
  score: number;
}

export const rankByRendezvous: Ranker = (nodes) => {
  const seeds = Int32Array.from(nodes, ({ id }) => seedOf(id));
  const shares = nodes.map(shareOf);
  const bars = barsFor(shares);

  const contenders = (chunk: ChunkDraw, bar: Bar, below: number): Contender[] => {
    const found: Contender[] = [];
    for (const { position, draw } of draws(chunk, seeds, bar.drawsNeeded)) {
      const score = scoreOf(draw, shares[position]!);
      if (score > bar.score && score <= below) found.push({ node: nodes[position]!, score });
    }
    return found.toSorted((a, b) => b.score - a.score || a.node.id - b.node.id);
  };

  return function* (chunk) {
    let below = Number.POSITIVE_INFINITY;
    for (const bar of bars) {
      for (const { node } of contenders(chunk, bar, below)) yield node;
      below = bar.score;
    }
  };
};

/** Who draws what is needed. Everybody's draw is looked at, so this decides what a placement costs. */
function draws({ high, low }: ChunkDraw, seeds: Int32Array, needed: Uint32Array): { position: number; draw: number }[] {
  const found: { position: number; draw: number }[] = [];
  for (let position = 0; position < seeds.length; position++) {
    const draw = nodeDraw(high, low, seeds[position]!);
    if (draw >= needed[position]!) found.push({ position, draw });
  }
  return found;
}

/** What a node counts for: twice as much wins twice as often, whoever else takes part. */
function shareOf({ capacityBytes, weight }: NodeSnapshot): number {
  return Math.max(capacityBytes, 1) * weight;
}

function scoreOf(draw: number, share: number): number {
  const uniform = (draw + 0.5) / 2 ** 32; // strictly between 0 and 1
  return -share / Math.log(uniform);
}

/** The highest first; the last one is cleared by everybody. */
function barsFor(shares: readonly number[]): Bar[] {
  const bars: Bar[] = [];
  for (let clearing = ABOVE_FIRST_BAR; clearing * 2 < shares.length; clearing *= BAR_FACTOR) {
    const score = barClearedBy(clearing, shares);
    bars.push({ score, drawsNeeded: Uint32Array.from(shares, (share) => Math.floor(Math.exp(-share / score) * 2 ** 32)) });
  }
  return [...bars, { score: 0, drawsNeeded: new Uint32Array(shares.length) }];
}

/** The score that so many nodes exceed on average, found by halving. */
function barClearedBy(wanted: number, shares: readonly number[]): number {
  let low = 0;
  let high = shares.reduce((sum, share) => sum + share, 0); // cleared by less than one
  for (let round = 0; round < 60; round++) {
    const middle = (low + high) / 2;
    const clearing = shares.reduce((sum, share) => sum - Math.expm1(-share / middle), 0);
    if (clearing > wanted) low = middle;
    else high = middle;
  }
  return high;
}
