/**
 * Where the copies of a chunk belong when nothing is wrong with any node.
 *
 * A node that is down or full for the moment is still home to its chunks: its absence must not move half the cluster, and
 * back again when it returns. Pure.
 */
import type { ChunkId } from "../chunking/index.ts";
import type { NodeSnapshot } from "../membership/index.ts";
import { createPlacer, crowdAround, type Placer } from "../placement/index.ts";
import { isMember, type TopologyView } from "./change.ts";

export interface ChunkRow {
  id: ChunkId;
  length: number;
  /** Node numbers. */
  replicas: readonly number[];
}

/** Node numbers. May remember what it said before, so it is asked once for each chunk. */
export type Homes = (chunk: ChunkRow) => readonly number[];

/** `heldBytes` by node number says how full the nodes are; only the policy that looks at load needs it. */
export function createHomes(view: TopologyView, heldBytes: ReadonlyMap<number, number>): Homes {
  const { replicas, policy } = view.settings;
  if (policy === "least-loaded") return createBalancedHomes(view, heldBytes);
  const placer = placerOfMembers(view);
  return ({ id }) => placer.choose(id, replicas).map((node) => node.id);
}

/** As if all members were up and had room. */
export function placerOfMembers({ nodes, settings }: TopologyView): Placer {
  return createPlacer(
    nodes.filter(isMember).map((node) => ({ ...node, health: "up", writable: true })),
    settings.policy,
  );
}

/**
 * By load, no place is a chunk's own. It stays, unless one of its nodes holds more than its share while another that may
 * take it holds less: then that one copy belongs there. What it said counts as done, so that it stops when all is even.
 */
function createBalancedHomes({ nodes, settings: { replicas } }: TopologyView, heldBytes: ReadonlyMap<number, number>): Homes {
  const members = new Map(nodes.filter(isMember).map((node) => [node.id, node]));
  const excess = excessOver(members, heldBytes);
  const moved = (nodeId: number, bytes: number): void => void excess.set(nodeId, excess.get(nodeId)! + bytes);
  return (chunk) => {
    const fullestFirst = chunk.replicas.filter((id) => members.has(id)).toSorted((a, b) => excess.get(b)! - excess.get(a)!);
    const surplus = Math.max(0, fullestFirst.length - replicas);
    for (const id of fullestFirst.slice(0, surplus)) moved(id, -chunk.length);
    const homes = fullestFirst.slice(surplus);
    const fullest = homes[0];
    if (fullest === undefined || excess.get(fullest)! < chunk.length) return homes;
    const roomiest = roomiestFor(chunk, homes, members, excess);
    if (roomiest === undefined) return homes;
    moved(fullest, -chunk.length);
    moved(roomiest, chunk.length);
    return [...homes.slice(1), roomiest];
  };
}

/** Bytes that each member holds beyond its share of all; negative for those with room. */
function excessOver(members: ReadonlyMap<number, NodeSnapshot>, heldBytes: ReadonlyMap<number, number>): Map<number, number> {
  const share = ({ capacityBytes, weight }: NodeSnapshot): number => Math.max(capacityBytes, 1) * weight;
  const sum = (of: (node: NodeSnapshot) => number): number => members.values().reduce((total, node) => total + of(node), 0);
  const held = ({ id }: NodeSnapshot): number => heldBytes.get(id) ?? 0;
  const fill = sum(held) / Math.max(sum(share), 1);
  return new Map(members.values().map((node) => [node.id, held(node) - fill * share(node)]));
}

/** The one that lacks most, among those that share no more with the other copies than the fullest does. */
function roomiestFor(
  chunk: ChunkRow,
  [fullest, ...staying]: readonly number[],
  members: ReadonlyMap<number, NodeSnapshot>,
  excess: ReadonlyMap<number, number>,
): number | undefined {
  const others = staying.map((id) => members.get(id)!);
  const crowd = (id: number): number => crowdAround(members.get(id)!, others);
  let best: number | undefined;
  for (const id of members.keys()) {
    if (excess.get(id)! > -chunk.length || chunk.replicas.includes(id) || crowd(id) > crowd(fullest!)) continue;
    if (best === undefined || excess.get(id)! < excess.get(best)!) best = id;
  }
  return best;
}
