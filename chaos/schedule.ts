/**
 * Which fault strikes whom, and when: all of it decided by the seed before anything runs.
 *
 * Two lanes run beside each other. What strikes a node comes one at a time, and the next one waits until all nodes are
 * back: more at once than the copies allow for was never promised. What strikes the gateway, the controller or the
 * database has its own lane, and may well meet a node's bad moment.
 *
 * Pure.
 */
import type { Random } from "./random.ts";

export const FAULT_GROUPS = {
  kill: ["kill-node", "kill-gateway", "kill-controller", "kill-postgres"],
  stop: ["stop-node", "stop-controller", "stop-postgres"],
  unplug: ["unplug-node"],
  corrupt: ["flip-bit", "truncate-chunk", "swap-chunks"],
  wipe: ["wipe-node"],
  partition: ["unreachable-node", "mute-node", "unreachable-controller", "unreachable-postgres"],
  "power-cut": ["power-cut-node"],
  "disk-full": ["fill-disk"],
} as const;

export type FaultGroup = keyof typeof FAULT_GROUPS;
export type FaultKind = (typeof FAULT_GROUPS)[FaultGroup][number];
export const faultGroups = Object.keys(FAULT_GROUPS) as FaultGroup[];

const allKinds: readonly FaultKind[] = Object.values(FAULT_GROUPS).flat();

/** A group's name stands for all of its kinds; undefined for a name that is neither. */
export function kindsNamed(name: string): readonly FaultKind[] | undefined {
  if (Object.hasOwn(FAULT_GROUPS, name)) return FAULT_GROUPS[name as FaultGroup];
  return (allKinds as readonly string[]).includes(name) ? [name as FaultKind] : undefined;
}

export interface PlannedFault {
  /** Since the schedule began; later if what came before took longer. */
  atMs: number;
  kind: FaultKind;
  /** Index of the node; undefined when it strikes a service. */
  node: number | undefined;
  forMs: number;
}

export interface Schedule {
  nodes: PlannedFault[];
  services: PlannedFault[];
}

const DURATION_MS: Record<FaultKind, readonly [min: number, max: number]> = {
  "kill-node": [0, 0],
  "kill-gateway": [0, 0],
  "kill-controller": [0, 0],
  "kill-postgres": [0, 0],
  "stop-node": [1_000, 10_000],
  "stop-controller": [1_000, 10_000],
  "stop-postgres": [1_000, 10_000],
  "unplug-node": [2_000, 12_000],
  "flip-bit": [0, 0],
  "truncate-chunk": [0, 0],
  "swap-chunks": [0, 0],
  "wipe-node": [0, 2_000],
  "unreachable-node": [1_000, 10_000],
  "mute-node": [1_000, 10_000],
  "unreachable-controller": [1_000, 8_000],
  "unreachable-postgres": [1_000, 6_000],
  "power-cut-node": [0, 3_000],
  "fill-disk": [1_000, 8_000],
};

export function planSchedule(
  random: Random,
  { seconds, nodes, kinds }: { seconds: number; nodes: number; kinds: readonly FaultKind[] },
): Schedule {
  const strikesNode = (kind: FaultKind): boolean => !/-(?:gateway|controller|postgres)$/.test(kind);
  return {
    nodes: planLane(random.fork("nodes"), seconds * 1_000, [500, 4_000], kinds.filter(strikesNode), nodes),
    services: planLane(
      random.fork("services"),
      seconds * 1_000,
      [3_000, 12_000],
      kinds.filter((kind) => !strikesNode(kind)),
      0,
    ),
  };
}

function planLane(random: Random, untilMs: number, [gapMin, gapMax]: [number, number], kinds: FaultKind[], nodes: number): PlannedFault[] {
  const plan: PlannedFault[] = [];
  let atMs = random.integer(gapMin, gapMax);
  while (kinds.length > 0 && atMs < untilMs) {
    const kind = random.pick(kinds);
    const forMs = Math.min(random.integer(...DURATION_MS[kind]), untilMs - atMs);
    plan.push({ atMs, kind, node: nodes > 0 ? random.integer(0, nodes - 1) : undefined, forMs });
    atMs += forMs + random.integer(gapMin, gapMax);
  }
  return plan;
}

export function describeFault({ atMs, kind, node, forMs }: PlannedFault): string {
  const whom = node === undefined ? "" : ` node-${node + 1}`;
  return `${(atMs / 1_000).toFixed(1)} s: ${kind}${whom}${forMs > 0 ? ` for ${(forMs / 1_000).toFixed(1)} s` : ""}`;
}
