import type { NodeSnapshot } from "../membership/index.ts";
import type { Placement } from "./choose.ts";

/**
 * Checks a placement from its definition, sharing no code with how it was computed. Throws: a placement that breaks a rule
 * is a bug, and must not become a chunk with two copies on one disk.
 */
export function checkPlacement({ nodes: chosen, fallbacks }: Placement, nodes: readonly NodeSnapshot[], count: number): void {
  const usable = nodes.filter(mayHold);
  const everyone = [...chosen, ...fallbacks];
  require(new Set(everyone.map((node) => node.id)).size === everyone.length, "a node is named twice");
  require(everyone.length === usable.length && everyone.every(mayHold), "a node that takes no chunks was chosen");
  require(chosen.length === Math.min(count, usable.length), "there are fewer or more nodes than asked for");

  require(!chosen.some(isSlow) || fallbacks.every(isSlow), "a slow node was preferred to a fast one");

  const copiesIn = new Map<string, number>();
  for (const { zone } of chosen) copiesIn.set(zone, (copiesIn.get(zone) ?? 0) + 1);
  for (const alike of [isFast, isSlow]) {
    const most = Math.max(0, ...chosen.filter(alike).map(({ zone }) => copiesIn.get(zone)!));
    const crowded = fallbacks.some((spare) => alike(spare) && (copiesIn.get(spare.zone) ?? 0) + 1 < most);
    require(!crowded, "one zone holds more copies than it needs to");
  }
}

function mayHold(node: NodeSnapshot): boolean {
  return node.intent === "active" && node.writable && (node.health === "up" || node.health === "slow");
}

function isFast(node: NodeSnapshot): boolean {
  return node.health === "up";
}

function isSlow(node: NodeSnapshot): boolean {
  return node.health === "slow";
}

function require(rule: boolean, fault: string): void {
  if (!rule) throw new Error(`broken placement: ${fault}`);
}
