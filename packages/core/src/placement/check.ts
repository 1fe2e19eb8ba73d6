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

  const inZone = ({ zone }: NodeSnapshot): number => chosen.filter((other) => other.zone === zone).length;
  const onDisk = (node: NodeSnapshot): number => chosen.filter((other) => sharesDisk(node, other)).length;
  for (const alike of [isFast, isSlow]) {
    const holders = chosen.filter(alike).map((node) => ({ zone: inZone(node), disk: onDisk(node) }));
    const spares = fallbacks.filter(alike).map((node) => ({ zone: inZone(node) + 1, disk: onDisk(node) + 1 })); // if it took one, too
    const isBetter = (test: (spare: (typeof spares)[number], holder: (typeof holders)[number]) => boolean): boolean =>
      spares.some((spare) => holders.some((holder) => test(spare, holder)));
    require(!isBetter((spare, holder) => spare.disk < holder.disk), "one disk holds more copies than it needs to");
    require(!isBetter(
      (spare, holder) => spare.disk <= holder.disk && spare.zone < holder.zone,
    ), "one zone holds more copies than it needs to");
  }
}

function mayHold(node: NodeSnapshot): boolean {
  return node.intent === "active" && node.writable && (node.health === "up" || node.health === "slow");
}

function sharesDisk(a: NodeSnapshot, b: NodeSnapshot): boolean {
  return a.id === b.id || (a.device !== "" && a.device === b.device && a.zone === b.zone);
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
