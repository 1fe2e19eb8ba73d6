/**
 * The emptiest nodes first.
 *
 * Nodes report how full they are every few seconds. In between, "the emptiest three" would be the same three for every
 * chunk of every gateway. So nodes whose load is alike to a hundredth count as equally loaded, and among them rendezvous
 * decides; twice the weight makes a node look half as full.
 */
import type { NodeSnapshot } from "../membership/index.ts";
import type { Ranker } from "./policy.ts";
import { rankByRendezvous } from "./rendezvous.ts";

const LEVELS = 100;

export const rankByLoad: Ranker = (nodes) => {
  const levels = Map.groupBy(nodes, loadLevel);
  const emptiestFirst = [...levels].toSorted(([a], [b]) => a - b).map(([, alike]) => rankByRendezvous(alike));
  return function* (chunk) {
    for (const ranking of emptiestFirst) yield* ranking(chunk);
  };
};

function loadLevel({ capacityBytes, freeBytes, weight }: NodeSnapshot): number {
  return Math.floor((LEVELS * (capacityBytes - freeBytes)) / (Math.max(capacityBytes, 1) * weight));
}
