/**
 * Says in one word and a few sentences how safe the data is.
 *
 * Worst first: what cannot be read outranks what is nearly lost, and that outranks what merely has less than it should. A
 * suspect node still counts as within reach, until it has been silent for as long as one that is down. A node that is on
 * record as up but was not heard since the controller started is a fact nobody has checked: then the answer is `unknown`
 * and not `ok`. A slow node costs patience and no safety.
 *
 * Pure.
 */
import type { NodeHealth, NodeIntent } from "@holdfast/db";
import { capitalised, chunksHave, inWords, listed } from "../wording/index.ts";
import type { CopyGroup } from "./copies.ts";
import type { DataState } from "./report.ts";

export interface JudgedNode {
  id: number;
  name: string;
  health: NodeHealth;
  intent: NodeIntent;
  writable: boolean;
  /** False when it is down, or silent for as long. */
  withinReach: boolean;
  /** Whether the leading controller heard it since it leads. */
  heard: boolean;
}

export interface ClusterFacts {
  nodes: readonly JudgedNode[];
  groups: readonly CopyGroup[];
  replicas: number;
  writeQuorum: number;
}

export interface Judgement {
  state: DataState;
  why: string;
  total: number;
  byCopies: Record<string, number>;
}

export function judgeCluster(facts: ClusterFacts): Judgement {
  const members = facts.nodes.filter((node) => node.intent !== "removed");
  const copies = countByCopies(facts, members);
  const sentences = [nodesSentence(members, facts), copiesSentence(copies, facts), serviceSentence(members, copies, facts)];
  return {
    state: stateOf(members, copies, facts),
    why: sentences.filter((sentence) => sentence !== "").join(" "),
    total: copies.total,
    byCopies: copies.byCopies,
  };
}

interface Copies {
  total: number;
  byCopies: Record<string, number>;
  /** Chunks with fewer copies than wanted that nothing will complete by itself, by copies. */
  lacking: Map<number, number>;
}

function countByCopies({ groups, replicas }: ClusterFacts, members: readonly JudgedNode[]): Copies {
  const withinReach = new Set(members.filter((node) => node.withinReach).map((node) => node.id));
  const byCopies: Record<string, number> = Object.fromEntries(Array.from({ length: replicas + 1 }, (_, copies) => [copies, 0]));
  const lacking = new Map<number, number>();
  let total = 0;
  for (const group of groups) {
    const reachable = new Set(group.replicas.filter((id) => withinReach.has(id))).size;
    total += group.count;
    byCopies[reachable] = (byCopies[reachable] ?? 0) + group.count;
    const onItsWay = group.settling && reachable === group.replicas.length && reachable > 1;
    if (reachable < replicas && !onItsWay) lacking.set(reachable, (lacking.get(reachable) ?? 0) + group.count);
  }
  return { total, byCopies, lacking };
}

function stateOf(members: readonly JudgedNode[], { lacking }: Copies, { replicas }: ClusterFacts): DataState {
  if (lacking.has(0)) return "unreadable";
  if (members.length === 0 || unheard(members).length > 0) return "unknown";
  if (lacking.has(1)) return "degraded";
  if (lacking.size > 0 || members.some((node) => !isAnswering(node)) || members.length < replicas) return "at-risk";
  return "ok";
}

const isAnswering = ({ health }: JudgedNode): boolean => health === "up" || health === "slow";

function unheard(members: readonly JudgedNode[]): JudgedNode[] {
  return members.filter((node) => isAnswering(node) && !node.heard);
}

function nodesSentence(members: readonly JudgedNode[], { replicas }: ClusterFacts): string {
  if (members.length === 0) return "No storage node has joined yet.";
  const silent = unheard(members);
  if (silent.length > 0) return `The controller has just started and has not heard from ${listed(silent.map((node) => node.name))} yet.`;
  const away = members.filter((node) => !node.withinReach);
  if (away.length === members.length)
    return members.length === 1 ? "The only node is away." : `All ${inWords(away.length)} nodes are away.`;
  if (away.length > 1) return `${capitalised(inWords(away.length))} of ${inWords(members.length)} nodes are away.`;
  if (away.length === 1) return `${away[0]!.name} is away${away[0]!.intent === "maintenance" ? " for maintenance" : ""}.`;
  const quiet = members.filter((node) => !isAnswering(node));
  if (quiet.length > 0) return `${listed(quiet.map((node) => node.name))} ${quiet.length === 1 ? "does" : "do"} not answer in time.`;
  if (members.length < replicas)
    return `There ${members.length === 1 ? "is one node" : `are ${inWords(members.length)} nodes`} for ${inWords(replicas)} copies.`;
  const all = members.length === 1 ? "The only node is up" : `All ${inWords(members.length)} nodes are up`;
  const full = members.filter((node) => !node.writable);
  if (full.length > 0) return `${all}, but ${listed(full.map((node) => node.name))} ${full.length === 1 ? "takes" : "take"} no new chunks.`;
  const slow = members.filter((node) => node.health === "slow");
  if (slow.length > 0) return `${all}, but ${listed(slow.map((node) => node.name))} ${slow.length === 1 ? "is" : "are"} slow.`;
  return `${all}.`;
}

function copiesSentence({ total, lacking }: Copies, { replicas }: ClusterFacts): string {
  if (total === 0) return "Nothing is stored yet.";
  const [fewest, count] = [...lacking].toSorted(([a], [b]) => a - b)[0] ?? [];
  if (fewest === undefined || count === undefined) return `Every chunk has ${inWords(replicas)} ${replicas === 1 ? "copy" : "copies"}.`;
  if (fewest === 0) return `${chunksHave(count)} no copy within reach: their files cannot be read until a node that has them returns.`;
  if (fewest === 1) return `${chunksHave(count)} one copy left.`;
  return `${chunksHave(count)} ${inWords(fewest)} copies instead of ${inWords(replicas)}.`;
}

function serviceSentence(members: readonly JudgedNode[], { total, lacking }: Copies, { writeQuorum }: ClusterFacts): string {
  const takers = members.filter((node) => isAnswering(node) && node.intent === "active" && node.writable).length;
  const uploadsWork = takers >= writeQuorum;
  if (lacking.has(0)) {
    const rest = lacking.get(0) === total ? "Nothing can be read" : "Everything else can be read";
    return uploadsWork ? `${rest}; uploads work.` : `${rest}; uploads wait.`;
  }
  if (members.length === 0) return "Uploads wait for the first nodes.";
  return uploadsWork ? "Reading and uploads work." : "Reading works; uploads wait.";
}
