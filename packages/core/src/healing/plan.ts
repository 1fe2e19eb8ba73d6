/**
 * Says which copies of a chunk to make, and which to give up, so that it has the wanted copies on nodes that stay.
 *
 * A copy counts while its node is within reach; a suspect node is. The copy of a node that is down counts as long as that
 * node is awaited, because a reboot must not copy half the cluster; with one copy left nobody waits. Copies on nodes that are
 * being emptied are sources, and count for nothing else. A copy is given up only when the wanted number of *others* is within
 * reach on sound nodes. Making and giving up never happen in one plan: what was made is first counted by the next one.
 *
 * Pure. Repair, rebalance and the preview in the console all take this plan.
 */
import type { ChunkState, NodeIntent } from "@holdfast/db";
import type { ChunkId } from "../chunking/index.ts";
import type { NodeSnapshot } from "../membership/index.ts";
import { crowdAround, type Domains, domainsOf, placerFor, type PlacementPolicy } from "../placement/index.ts";
import { inWords, listed, ordinal } from "../wording/index.ts";
import { checkPlan } from "./check-plan.ts";

export interface ChunkFacts {
  id: ChunkId;
  length: number;
  /** The nodes its row names. */
  replicas: readonly number[];
  state: ChunkState;
}

export interface HealingTerms {
  /** Copies each chunk should have; at least 1. */
  wanted: number;
  policy?: PlacementPolicy;
  /** Nodes that are down and may well come back. */
  awaited?: ReadonlySet<number>;
  /** Nodes that refused a copy a moment ago. */
  avoided?: ReadonlySet<number>;
}

/** Worst first; what is `unreadable` waits for a node and for nobody's work. */
export const RISKS = ["unreadable", "last", "short", "misplaced", "surplus", "whole"] as const;
export type Risk = (typeof RISKS)[number];

/** One copy to make. */
export interface CopyTask {
  chunkId: ChunkId;
  length: number;
  /** Best first. */
  from: readonly NodeSnapshot[];
  to: NodeSnapshot;
  /** One sentence. */
  why: string;
  /** Copies within reach that do not fail together. With 1, nothing slows it down. */
  copiesLeft: number;
}

/** One copy to give up, after the `kept` ones were read and found whole. */
export interface CopyDrop {
  node: NodeSnapshot;
  kept: readonly NodeSnapshot[];
  why: string;
}

export interface ChunkPlan {
  risk: Risk;
  copies: readonly CopyTask[];
  drops: readonly CopyDrop[];
  /** Copies that are missing and cannot be made. */
  blockedCopies: number;
  /** Why, and what would help; empty when nothing is blocked. */
  blocked: string;
}

/** `nodes` and what is in it must not change afterwards: placement remembers what it made of them. */
export function planChunk(chunk: ChunkFacts, nodes: readonly NodeSnapshot[], terms: HealingTerms): ChunkPlan {
  if (chunk.state !== "live") return NOTHING_TO_DO;
  const copies = sortCopies(chunk, nodes, terms);
  const plan = copies.reachable.length === 0 ? unreadable(copies) : planReadable(chunk, copies, nodes, terms);
  checkPlan(plan, chunk, nodes, terms);
  return plan;
}

const NOTHING_TO_DO: ChunkPlan = { risk: "whole", copies: [], drops: [], blockedCopies: 0, blocked: "" };

/** The nodes a chunk's row names, by what they are worth to it. */
interface Copies {
  all: readonly NodeSnapshot[];
  /** Whoever may still answer, best first. */
  sources: readonly NodeSnapshot[];
  reachable: readonly NodeSnapshot[];
  /** Within reach, and not on a node that is being emptied. */
  staying: readonly NodeSnapshot[];
  /** Those among them nobody has a doubt about. */
  sound: readonly NodeSnapshot[];
  /** On their way out. */
  leaving: readonly NodeSnapshot[];
  /** Out of reach, and likely to come back. */
  awaited: readonly NodeSnapshot[];
}

const HEALTH_ORDER = { up: 0, slow: 1, suspect: 2, down: 3 } as const;

function sortCopies({ replicas }: ChunkFacts, nodes: readonly NodeSnapshot[], { awaited }: HealingTerms): Copies {
  const all = nodes.filter(({ id }) => replicas.includes(id)).toSorted((a, b) => a.id - b.id);
  const answering = all.filter(({ health }) => health !== "down");
  const reachable = answering.filter(({ intent }) => intent !== "removed");
  const grade = ({ health, intent }: NodeSnapshot): number => HEALTH_ORDER[health] + (intent === "removed" ? 4 : 0);
  return {
    all,
    sources: answering.toSorted((a, b) => grade(a) - grade(b)),
    reachable,
    staying: reachable.filter((node) => !isLeaving(node.intent)),
    sound: reachable.filter(({ health, intent }) => intent === "active" && health !== "suspect"),
    leaving: all.filter(({ intent }) => isLeaving(intent)),
    awaited: all.filter(({ id, health, intent }) => health === "down" && !isLeaving(intent) && awaited?.has(id) === true),
  };
}

function isLeaving(intent: NodeIntent): boolean {
  return intent === "draining" || intent === "removed";
}

function unreadable({ all }: Copies): ChunkPlan {
  const names = all.map(({ name }) => name);
  const blocked =
    names.length === 0 ? "no node is known to hold a copy" : `no copy is within reach: it can be read when ${backWords(names, "or")}`;
  return { ...NOTHING_TO_DO, risk: "unreadable", blockedCopies: 1, blocked };
}

function planReadable(chunk: ChunkFacts, copies: Copies, nodes: readonly NodeSnapshot[], terms: HealingTerms): ChunkPlan {
  const { wanted } = terms;
  const missing = missingCopies(copies, wanted);
  if (missing > 0) {
    const risk = copies.reachable.length === 1 && wanted > 1 ? "last" : copies.reachable.length < wanted ? "short" : "misplaced";
    const targets = chooseTargets(missing, chunk, copies, nodes, terms);
    const blockedCopies = missing - targets.length;
    return {
      risk,
      copies: targets.map((to) => copyTask(chunk, copies, to, missingWords(copies, wanted), domainsOf(nodes))),
      drops: [],
      blockedCopies,
      blocked: blockedCopies === 0 ? "" : blockedWords(chunk, copies, nodes, terms),
    };
  }
  const spread = betterSpread(chunk, copies, nodes, terms);
  if (spread !== undefined) return { ...NOTHING_TO_DO, risk: "misplaced", copies: [spread] };
  const drops = chooseDrops(copies, () => placerFor(nodes, terms.policy).order(chunk.id), wanted);
  return drops.length > 0 ? { ...NOTHING_TO_DO, risk: "surplus", drops } : NOTHING_TO_DO;
}

/** With one copy left, one is made at once whoever may come back. */
function missingCopies({ reachable, staying, awaited }: Copies, wanted: number): number {
  const missing = wanted - staying.length - awaited.length;
  return reachable.length === 1 && wanted > 1 ? Math.max(missing, 1) : missing;
}

/** Weighs more than anything that is shared. */
const SLOW = 1_000_000;
/** So many of its homes, for each copy wanted, are looked at first: nearly always enough, and cheap among a thousand nodes. */
const HOMES_PER_COPY = 3;

/** Fewer when there are not enough. What shares least with the copies comes before the chunk's own order, a slow node after all others. */
function chooseTargets(
  count: number,
  chunk: ChunkFacts,
  copies: Copies,
  nodes: readonly NodeSnapshot[],
  terms: HealingTerms,
): NodeSnapshot[] {
  const placer = placerFor(nodes, terms.policy);
  const choose = (order: readonly NodeSnapshot[]): NodeSnapshot[] => leastCrowded(count, chunk, copies, order, terms);
  const homes = choose(placer.first(chunk.id, HOMES_PER_COPY * terms.wanted));
  return homes.length === count && isUnbeatable(homes, copies, domainsOf(nodes)) ? homes : choose(placer.order(chunk.id));
}

/** Nobody further down the order would share less. */
function isUnbeatable(targets: readonly NodeSnapshot[], { staying, awaited }: Copies, domains: Domains): boolean {
  const taken = [...staying, ...awaited, ...targets].map(domains.of);
  const isAlone = (node: NodeSnapshot): boolean => taken.filter((domain) => domain === domains.of(node)).length === 1;
  return targets.every((node) => node.health !== "slow" && isAlone(node));
}

function leastCrowded(
  count: number,
  chunk: ChunkFacts,
  copies: Copies,
  order: readonly NodeSnapshot[],
  terms: HealingTerms,
): NodeSnapshot[] {
  const free = order.filter((node) => mayTake(node, chunk, terms));
  const holders = [...copies.staying, ...copies.awaited];
  const chosen: NodeSnapshot[] = [];
  const burden = (node: NodeSnapshot): number => (node.health === "slow" ? SLOW : 0) + crowdAround(node, holders);
  while (chosen.length < count && free.length > 0) {
    const best = free.reduce((a, b) => (burden(b) < burden(a) ? b : a));
    free.splice(free.indexOf(best), 1);
    holders.push(best);
    chosen.push(best);
  }
  return chosen;
}

function mayTake({ id, freeBytes }: NodeSnapshot, { replicas, length }: ChunkFacts, { avoided }: HealingTerms): boolean {
  return !replicas.includes(id) && freeBytes >= length && avoided?.has(id) !== true;
}

/** A copy where nothing fails together with the others, when two of them do; the surplus is given up afterwards. */
function betterSpread(chunk: ChunkFacts, copies: Copies, nodes: readonly NodeSnapshot[], terms: HealingTerms): CopyTask | undefined {
  const domains = domainsOf(nodes);
  const taken = new Set(copies.staying.map(domains.of));
  if (copies.awaited.length > 0 || taken.size >= Math.min(terms.wanted, copies.staying.length)) return undefined;
  const order = placerFor(nodes, terms.policy).order(chunk.id);
  const to = order.find((node) => node.health === "up" && !taken.has(domains.of(node)) && mayTake(node, chunk, terms));
  const one = domains.kind === "zone" ? `in zone ${copies.staying[0]!.zone}` : "on one disk";
  const few = domains.kind === "zone" ? `in only ${inWords(taken.size)} zones` : `on only ${inWords(taken.size)} disks`;
  const where = taken.size === 1 ? `all its copies are ${one}` : `its copies are ${few}`;
  return to && copyTask(chunk, copies, to, where, domains);
}

function copyTask(chunk: ChunkFacts, { sources, reachable }: Copies, to: NodeSnapshot, reason: string, domains: Domains): CopyTask {
  const taken = new Set(reachable.map(domains.of));
  return {
    chunkId: chunk.id,
    length: chunk.length,
    from: sources,
    to,
    why: `${to.name} takes a copy: ${reason}.`,
    copiesLeft: taken.has(domains.of(to)) ? reachable.length : taken.size,
  };
}

/** Who shares most gives first; of these, the node where the chunk belongs least. `orderOf` costs something. */
function chooseDrops(copies: Copies, orderOf: () => readonly NodeSnapshot[], wanted: number): CopyDrop[] {
  const kept = [...copies.sound];
  const order = kept.length > wanted ? orderOf() : [];
  const surplus: NodeSnapshot[] = [];
  while (kept.length > wanted) {
    const crowd = (node: NodeSnapshot): number => crowdAround(node, kept);
    const place = (node: NodeSnapshot): number => (order.includes(node) ? order.indexOf(node) : order.length);
    const victim = kept.reduce((a, b) => ((crowd(b) - crowd(a) || place(b) - place(a)) > 0 ? b : a));
    kept.splice(kept.indexOf(victim), 1);
    surplus.push(victim);
  }
  if (kept.length < wanted) return [];
  const enough = `${inWords(wanted)} other ${wanted === 1 ? "copy is" : "copies are"} within reach`;
  return [
    ...copies.leaving.map((node) => ({ node, kept, why: `${node.name} ${LEAVING_WORDS[node.intent]}, and ${enough}.` })),
    ...surplus.map((node) => ({ node, kept, why: `The copy on ${node.name} is one too many: ${enough}.` })),
  ];
}

const LEAVING_WORDS: Partial<Record<NodeIntent, string>> = { draining: "is being emptied", removed: "was removed" };

function missingWords({ reachable, staying, all }: Copies, wanted: number): string {
  const away = all.filter((node) => !reachable.includes(node)).map(({ name }) => name);
  const leaving = reachable.filter((node) => !staying.includes(node)).map(({ name }) => name);
  const count = `${inWords(staying.length)} of ${inWords(wanted)} ${wanted === 1 ? "copy is" : "copies are"} within reach`;
  if (leaving.length > 0) return `${listed(leaving)} ${leaving.length === 1 ? "is" : "are"} being emptied`;
  return away.length === 0 ? count : `${listed(away)} ${away.length === 1 ? "is" : "are"} away, and ${count}`;
}

function blockedWords(chunk: ChunkFacts, copies: Copies, nodes: readonly NodeSnapshot[], terms: HealingTerms): string {
  const { staying, all, reachable } = copies;
  const full = nodes
    .filter((node) => isUsable(node) && !chunk.replicas.includes(node.id) && !(node.writable && mayTake(node, chunk, terms)))
    .toSorted((a, b) => a.id - b.id);
  const members = nodes.filter(({ intent }) => intent !== "removed").length;
  const which = `no ${ordinal(members + 1)} node to take a ${ordinal(Math.min(staying.length + 1, terms.wanted))} copy`;
  const refusing = full.length === 0 ? "" : ` (${listed(full.map(({ name }) => name))} ${full.length === 1 ? "takes" : "take"} no more)`;
  const away = all.filter((node) => !reachable.includes(node) && node.intent !== "removed").map(({ name }) => name);
  const wayOut =
    away.length === 0 ? "it will be whole when a node is added" : `it will be whole when ${backWords(away, "and")}, or add a node`;
  return `${which}${refusing}; ${wayOut}`;
}

function isUsable({ health, intent }: NodeSnapshot): boolean {
  return intent === "active" && (health === "up" || health === "slow");
}

function backWords(names: readonly string[], conjunction: "and" | "or"): string {
  const who = conjunction === "and" || names.length < 2 ? listed(names) : `one of ${listed(names)}`;
  return `${who} ${conjunction === "or" || names.length === 1 ? "is" : "are"} back`;
}
