import type { NodeSnapshot } from "../membership/index.ts";
import type { ChunkFacts, ChunkPlan, HealingTerms } from "./plan.ts";

/** Checks a plan from what must never happen, sharing no code with how it was made. Throws: such a plan loses data or writes it twice. */
export function checkPlan(plan: ChunkPlan, chunk: ChunkFacts, nodes: readonly NodeSnapshot[], { wanted }: HealingTerms): void {
  const holders = new Set(chunk.replicas);
  const targets = plan.copies.map(({ to }) => to.id);
  require(new Set(targets).size === targets.length, "one node would take two copies");
  require(!targets.some((id) => holders.has(id)), "a node that has the chunk would take it again");
  require(plan.copies.every(({ to }) => to.intent === "active" && to.writable && isWell(to)), "a node that takes no chunks would take one");
  require(plan.copies.every(({ from }) => from.length > 0 && from.every(({ id }) => holders.has(id))), "a source does not hold the chunk");

  const given = new Set(plan.drops.map(({ node }) => node.id));
  require(given.size === plan.drops.length && [...given].every((id) => holders.has(id)), "a copy that is not there would be given up");
  const left = nodes.filter(({ id }) => holders.has(id) && !given.has(id));
  const safe = new Set(left.filter((node) => node.intent === "active" && isWell(node)).map(({ id }) => id));
  require(given.size === 0 || safe.size >= wanted, "fewer copies than wanted would be left");
  const proofs = plan.drops.map(({ kept }) => new Set(kept.map(({ id }) => id)));
  require(proofs.every((kept) => kept.size >= wanted && [...kept].every((id) => safe.has(id))), "the copies to keep are not enough");
  require(given.size === 0 || targets.length === 0, "a copy would be given up on the strength of one that is not made yet");
}

function isWell({ health }: NodeSnapshot): boolean {
  return health === "up" || health === "slow";
}

function require(rule: boolean, fault: string): void {
  if (!rule) throw new Error(`broken plan: ${fault}`);
}
