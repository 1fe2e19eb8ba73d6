/** What an operator can change about the cluster's shape, and what the cluster would be afterwards. Pure. */
import { limits, MINUTE_MS, unreachable } from "../kernel/index.ts";
import type { NodeSnapshot } from "../membership/index.ts";
import type { PlacementPolicy } from "../placement/index.ts";

export type TopologyChange =
  /** Empties a node; it serves until it is empty. */
  | { kind: "drain"; nodeId: number }
  /** Takes a node out of the cluster for good. */
  | { kind: "remove"; nodeId: number }
  /** Moves copies to where they belong, after a node has joined. */
  | { kind: "spread" }
  /** Multiplies what a node gets. */
  | { kind: "weight"; nodeId: number; value: number }
  | { kind: "zone"; nodeId: number; value: string }
  /** How many copies each chunk should have. */
  | { kind: "copies"; value: number }
  | { kind: "policy"; value: PlacementPolicy }
  /** A node that will be away for so many minutes, or until somebody says otherwise. */
  | { kind: "maintenance"; nodeId: number; value?: number }
  /** Ends maintenance and draining. */
  | { kind: "activate"; nodeId: number };

export interface ClusterSettings {
  replicas: number;
  policy: PlacementPolicy;
  writeQuorum: number;
}

export interface TopologyView {
  nodes: readonly NodeSnapshot[];
  settings: ClusterSettings;
}

/** What has to move for a change, if anything. `complete` is done by repair, and only previewed here. */
export type MoveScope = { kind: "drain" | "remove"; nodeId: number } | { kind: "spread" } | { kind: "complete" };

export const WEIGHT_MIN = 0.1;
export const WEIGHT_MAX = 10;
const ZONE = /^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,62}$/u;

export function nodeOf(change: TopologyChange, { nodes }: TopologyView): NodeSnapshot | undefined {
  return "nodeId" in change ? nodes.find(({ id }) => id === change.nodeId) : undefined;
}

export function viewAfter(view: TopologyView, change: TopologyChange, now: Date): TopologyView {
  const { nodes, settings } = view;
  const withNode = (changes: Partial<NodeSnapshot>): TopologyView => {
    const node = nodeOf(change, view);
    return { settings, nodes: nodes.map((other) => (other === node ? { ...other, ...changes } : other)) };
  };
  switch (change.kind) {
    case "drain":
      return withNode({ intent: "draining" });
    case "remove":
      return withNode({ intent: "removed" });
    case "weight":
      return withNode({ weight: change.value });
    case "zone":
      return withNode({ zone: change.value });
    case "maintenance":
      return withNode({ intent: "maintenance", maintenanceUntil: maintenanceEnd(change.value, now) });
    case "activate":
      return withNode({ intent: "active", maintenanceUntil: null });
    case "copies":
      return { nodes, settings: { ...settings, replicas: change.value } };
    case "policy":
      return { nodes, settings: { ...settings, policy: change.value } };
    case "spread":
      return view;
    default:
      return unreachable(change);
  }
}

export function maintenanceEnd(minutes: number | undefined, now: Date): Date | null {
  return minutes === undefined ? null : new Date(now.getTime() + minutes * MINUTE_MS);
}

export function scopeOf(change: TopologyChange, { settings }: TopologyView): MoveScope | undefined {
  switch (change.kind) {
    case "drain":
    case "remove":
      return { kind: change.kind, nodeId: change.nodeId };
    case "spread":
    case "weight":
    case "zone":
    case "policy":
      return { kind: "spread" };
    case "copies":
      return { kind: change.value > settings.replicas ? "complete" : "spread" };
    case "maintenance":
    case "activate":
      return undefined;
    default:
      return unreachable(change);
  }
}

/** Why it can never be, whatever is stored; undefined when it can. */
export function faultOf(change: TopologyChange, view: TopologyView): string | undefined {
  if ("nodeId" in change) {
    const node = nodeOf(change, view);
    if (node === undefined) return `There is no node with the number ${change.nodeId}.`;
    if (node.intent === "removed") return `${node.name} was removed. To use its disk again, start it with an empty directory.`;
  }
  return faultOfValue(change, view);
}

function faultOfValue(change: TopologyChange, { nodes, settings }: TopologyView): string | undefined {
  const members = nodes.filter(isMember).length;
  switch (change.kind) {
    case "weight":
      if (change.value >= WEIGHT_MIN && change.value <= WEIGHT_MAX) return undefined;
      return `A weight is between ${WEIGHT_MIN} and ${WEIGHT_MAX}. To take everything off a node, drain it.`;
    case "zone":
      return ZONE.test(change.value) ? undefined : "A zone has a short name of letters, digits, spaces, dots and dashes.";
    case "copies":
      if (!Number.isInteger(change.value) || change.value < settings.writeQuorum || change.value > limits.replicasMax)
        return `Each chunk has ${settings.writeQuorum} to ${limits.replicasMax} copies: an upload counts when ${settings.writeQuorum} are durable.`;
      return change.value <= members ? undefined : `There are ${members} nodes in service for ${change.value} copies. Add a node first.`;
    case "maintenance":
      return change.value === undefined || change.value > 0 ? undefined : "Maintenance takes at least a minute.";
    case "drain":
    case "remove":
    case "spread":
    case "policy":
    case "activate":
      return undefined;
    default:
      return unreachable(change);
  }
}

/** Copies belong on it: it is in service, or will be again. */
export function isMember({ intent }: NodeSnapshot): boolean {
  return intent === "active" || intent === "maintenance";
}
