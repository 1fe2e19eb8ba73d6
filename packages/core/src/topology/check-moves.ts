import type { TopologyView } from "./change.ts";
import type { ChunkRow } from "./homes.ts";
import type { Move } from "./plan.ts";

/** Checks moves from what must never happen, sharing no code with how they were planned. Throws: such a plan loses copies. */
export function checkMoves(moves: readonly Move[], chunk: ChunkRow, { nodes, settings }: TopologyView): void {
  const copies = new Set(chunk.replicas);
  for (const { to, drop } of moves) {
    require(to !== undefined || drop !== undefined, "nothing would happen");
    require(to === undefined || !copies.has(to.id), "a node would take a second copy");
    require(to === undefined || to.intent === "active" || to.intent === "maintenance", "a node that is leaving would take a copy");
    require(drop === undefined || copies.has(drop.id), "a copy that is not there would be given up");
    if (to !== undefined) copies.add(to.id);
    if (drop !== undefined) copies.delete(drop.id);
  }
  const staying = nodes.filter(({ id, intent }) => copies.has(id) && intent !== "draining" && intent !== "removed").length;
  const gives = moves.filter(({ drop }) => drop !== undefined).length;
  const takes = moves.filter(({ to }) => to !== undefined).length;
  require(gives <= takes || staying >= settings.replicas, "fewer copies than wanted would be left");
}

function require(rule: boolean, fault: string): void {
  if (!rule) throw new Error(`broken move: ${fault}`);
}
