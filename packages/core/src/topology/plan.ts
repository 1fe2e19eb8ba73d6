/**
 * Says which copies of a chunk move, and where to.
 *
 * A move is one new copy and one given up; a copy that is merely too many is given up alone. Only copies that are out of
 * place move, and only to homes that have none, so a change costs what it must and no more. A home that cannot take a copy
 * now is waited for; only a node that is being emptied takes the next best instead, because it wants to be empty. Missing copies are
 * repair's work: here nothing is made unless something is given up for it.
 *
 * Pure. The preview and the worker take the same plan.
 */
import type { NodeSnapshot } from "../membership/index.ts";
import { crowdAround } from "../placement/index.ts";
import { listed } from "../wording/index.ts";
import { isMember, type MoveScope, type TopologyView } from "./change.ts";
import { checkMoves } from "./check-moves.ts";
import { type ChunkRow, createHomes, placerOfMembers } from "./homes.ts";

export interface Move {
  chunk: ChunkRow;
  /** Absent when there are enough other copies, or when a missing one would only be completed. */
  to?: NodeSnapshot;
  /** Absent when nothing is given up. */
  drop?: NodeSnapshot;
  why: string;
}

export interface ChunkMoves {
  moves: readonly Move[];
  /** Why something that should move cannot, and what would help; empty when nothing is in the way. */
  blocked: string;
}

export type MovePlanner = (chunk: ChunkRow) => ChunkMoves;

const NOTHING: ChunkMoves = { moves: [], blocked: "" };

/** Good for one pass over the chunks, each once. The view is the cluster as it shall be; its nodes' health as it is. */
export function createMovePlanner(
  view: TopologyView,
  scope: MoveScope,
  heldBytes: ReadonlyMap<number, number>,
  avoided: ReadonlySet<number> = new Set(),
): MovePlanner {
  const plan = plannerOf(view, scope, heldBytes, avoided);
  return (chunk) => {
    const chunkMoves = plan(chunk);
    if (chunkMoves.moves.length > 0) checkMoves(chunkMoves.moves, chunk, view);
    return chunkMoves;
  };
}

function plannerOf(
  view: TopologyView,
  scope: MoveScope,
  heldBytes: ReadonlyMap<number, number>,
  avoided: ReadonlySet<number>,
): MovePlanner {
  switch (scope.kind) {
    case "drain":
      return drainPlanner(view, scope.nodeId, avoided);
    case "remove":
      return removalPlanner(view, scope.nodeId);
    case "spread":
      return spreadPlanner(view, heldBytes, avoided);
    case "complete":
      return completionPlanner(view);
  }
}

function drainPlanner(view: TopologyView, nodeId: number, avoided: ReadonlySet<number>): MovePlanner {
  const { settings, nodes } = view;
  const leaving = nodes.find(({ id }) => id === nodeId);
  const members = new Map(nodes.filter(isMember).map((node) => [node.id, node]));
  const placer = placerOfMembers(view);
  return (chunk) => {
    if (leaving?.intent !== "draining" || !chunk.replicas.includes(nodeId)) return NOTHING;
    const staying = chunk.replicas.filter((id) => members.has(id));
    if (staying.length >= settings.replicas) {
      return {
        moves: [{ chunk, drop: leaving, why: `${leaving.name} is being emptied, and there are enough other copies.` }],
        blocked: "",
      };
    }
    const free = (candidates: readonly NodeSnapshot[]): NodeSnapshot[] =>
      candidates.map(({ id }) => members.get(id)!).filter((node) => mayTake(node, chunk, avoided));
    const homes = free(placer.choose(chunk.id, settings.replicas));
    const to = leastCrowded(homes.length > 0 ? homes : free(placer.order(chunk.id)), staying, members);
    if (to === undefined) return { moves: [], blocked: noPlace(chunk, view) };
    return { moves: [{ chunk, to, drop: leaving, why: `${leaving.name} is being emptied; ${to.name} takes its copy.` }], blocked: "" };
  };
}

/** Of a node that is gone: its name leaves the rows as soon as there are enough other copies, which repair makes. */
function removalPlanner({ nodes, settings }: TopologyView, nodeId: number): MovePlanner {
  const gone = nodes.find(({ id }) => id === nodeId);
  const members = new Set(nodes.filter(isMember).map(({ id }) => id));
  return (chunk) => {
    if (gone?.intent !== "removed" || !chunk.replicas.includes(nodeId)) return NOTHING;
    if (chunk.replicas.filter((id) => members.has(id)).length < settings.replicas)
      return { moves: [], blocked: "Repair makes the copies that are missing first." };
    return { moves: [{ chunk, drop: gone, why: `${gone.name} was removed, and there are enough other copies.` }], blocked: "" };
  };
}

function spreadPlanner(view: TopologyView, heldBytes: ReadonlyMap<number, number>, avoided: ReadonlySet<number>): MovePlanner {
  const homesOf = createHomes(view, heldBytes);
  const members = new Map(view.nodes.filter(isMember).map((node) => [node.id, node]));
  return (chunk) => {
    const homes = homesOf(chunk);
    const staying = chunk.replicas.filter((id) => members.has(id));
    const misplaced = staying.filter((id) => !homes.includes(id)).map((id) => members.get(id)!);
    if (misplaced.length === 0) return NOTHING;
    const empty = homes.filter((id) => !chunk.replicas.includes(id)).map((id) => members.get(id)!);
    const ready = empty.filter((node) => mayTake(node, chunk, avoided));
    const moves = ready.slice(0, misplaced.length).map((to, index) => moveHome(chunk, misplaced[index]!, to));
    const surplus = empty.length === 0 && staying.length - misplaced.length >= view.settings.replicas ? misplaced : [];
    const drops = surplus.map((drop) => ({ chunk, drop, why: `The copy on ${drop.name} is one too many.` }));
    const waitsFor = moves.length < Math.min(misplaced.length, empty.length) ? empty.filter((node) => !ready.includes(node)) : [];
    return { moves: [...moves, ...drops], blocked: waitsFor.length === 0 ? "" : notTaking(waitsFor) };
  };
}

function moveHome(chunk: ChunkRow, drop: NodeSnapshot, to: NodeSnapshot): Move {
  return { chunk, to, drop, why: `It belongs on ${to.name} and no longer on ${drop.name}.` };
}

/** What repair will have to make, for a preview. */
function completionPlanner(view: TopologyView): MovePlanner {
  const placer = placerOfMembers(view);
  const members = new Map(view.nodes.filter(isMember).map((node) => [node.id, node]));
  return (chunk) => {
    const missing = view.settings.replicas - chunk.replicas.filter((id) => members.has(id)).length;
    if (missing <= 0) return NOTHING;
    const empty = placer.choose(chunk.id, view.settings.replicas).filter(({ id }) => !chunk.replicas.includes(id));
    const moves = empty.slice(0, missing).map(({ id }) => ({ chunk, to: members.get(id)!, why: "It shall have more copies." }));
    return { moves, blocked: "" };
  };
}

function mayTake(node: NodeSnapshot, chunk: ChunkRow, avoided: ReadonlySet<number>): boolean {
  const { id, intent, health, writable, freeBytes } = node;
  const ready = intent === "active" && health === "up" && writable && freeBytes >= chunk.length;
  return ready && !chunk.replicas.includes(id) && !avoided.has(id);
}

/** The first one among those that share least with the copies that stay. */
function leastCrowded(
  candidates: readonly NodeSnapshot[],
  staying: readonly number[],
  members: ReadonlyMap<number, NodeSnapshot>,
): NodeSnapshot | undefined {
  const others = staying.map((id) => members.get(id)!);
  const crowd = (node: NodeSnapshot): number => crowdAround(node, others);
  return candidates.reduce<NodeSnapshot | undefined>((best, node) => (best && crowd(best) <= crowd(node) ? best : node), undefined);
}

function noPlace(chunk: ChunkRow, view: TopologyView): string {
  const others = view.nodes.filter((node) => isMember(node) && !chunk.replicas.includes(node.id));
  return others.length === 0 ? tooFewNodes(view) : notTaking(others);
}

/** The view is the one without the node. */
export function tooFewNodes({ nodes, settings }: TopologyView): string {
  const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? "" : "s"}`;
  const left = nodes.filter(isMember).length;
  const copies = settings.replicas === 1 ? "1 copy" : `${settings.replicas} copies`;
  return `${count(left, "node")} would be left for ${copies}: add a node or lower the number of copies.`;
}

function notTaking(nodes: readonly NodeSnapshot[]): string {
  return `${listed(nodes.map((node) => `${node.name} (${reasonOf(node)})`))} cannot take copies now.`;
}

function reasonOf({ intent, health, writable }: NodeSnapshot): string {
  if (intent !== "active") return `in ${intent}`;
  if (health !== "up") return health;
  return writable ? "no room, or it just refused one" : "full";
}
