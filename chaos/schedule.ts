/**
 * Which fault strikes whom, and in which order: all of it decided by the seed before anything runs.
 *
 * Two lanes run beside each other. What strikes a node comes one at a time, and the next one waits until all nodes are
 * back: more at once than the copies allow for was never promised. What strikes the gateway, a controller or the database
 * has its own lane, and may well meet a node's bad moment. In each lane every kind has its turn before any comes again.
 *
 * Pure.
 */
import type { Random } from "./random.ts";

export const FAULT_GROUPS = {
  kill: ["kill-node", "kill-gateway", "kill-controller", "kill-postgres"],
  stop: ["stop-node", "stop-controller", "stop-postgres"],
  leader: ["kill-leader", "stop-leader"],
  backends: ["terminate-backends"],
  unplug: ["unplug-node"],
  absent: ["absent-node"],
  clone: ["clone-node"],
  corrupt: ["flip-bit", "truncate-chunk", "swap-chunks"],
  wipe: ["wipe-node"],
  disk: ["sync-error", "read-error", "slow-disk", "lying-disk"],
  clock: ["clock-node", "clock-gateway", "clock-controller"],
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
  kind: FaultKind;
  /** Index of the node; undefined when it strikes a service. */
  node: number | undefined;
  /** From the moment at which all that the lane strikes serves again. */
  pauseMs: number;
  forMs: number;
}

type Span = readonly [min: number, max: number];

export interface Pace {
  nodesPauseMs: Span;
  servicesPauseMs: Span;
  /** Of what a fault may last beyond its least, 0 to 1. */
  durationShare: number;
}

export const paces = {
  /** Time for people to work between two faults. */
  steady: { nodesPauseMs: [500, 4_000], servicesPauseMs: [3_000, 12_000], durationShare: 1 },
  /** As many faults as the cluster recovers from. */
  dense: { nodesPauseMs: [0, 300], servicesPauseMs: [0, 600], durationShare: 0.25 },
} as const satisfies Record<string, Pace>;

const DURATION_MS: Record<FaultKind, Span> = {
  "kill-node": [0, 0],
  "kill-gateway": [0, 0],
  "kill-controller": [0, 0],
  "kill-postgres": [0, 0],
  "stop-node": [1_000, 10_000],
  "stop-controller": [1_000, 10_000],
  "stop-postgres": [1_000, 10_000],
  "kill-leader": [0, 0],
  "stop-leader": [500, 5_000],
  "terminate-backends": [0, 0],
  "unplug-node": [2_000, 12_000],
  "absent-node": [40_000, 60_000],
  "clone-node": [2_000, 6_000],
  "flip-bit": [0, 0],
  "truncate-chunk": [0, 0],
  "swap-chunks": [0, 0],
  "wipe-node": [0, 2_000],
  "sync-error": [1_000, 4_000],
  "read-error": [1_000, 4_000],
  "slow-disk": [2_000, 8_000],
  "lying-disk": [1_000, 5_000],
  "clock-node": [2_000, 8_000],
  "clock-gateway": [2_000, 8_000],
  "clock-controller": [2_000, 8_000],
  "unreachable-node": [1_000, 10_000],
  "mute-node": [1_000, 10_000],
  "unreachable-controller": [1_000, 8_000],
  "unreachable-postgres": [1_000, 6_000],
  "power-cut-node": [0, 3_000],
  "fill-disk": [1_000, 8_000],
};

export interface ScheduleTerms {
  nodes: number;
  kinds: readonly FaultKind[];
  pace: Pace;
}

/** Each lane has no end, unless there is no fault for it. */
export interface Schedule {
  nodes: Iterable<PlannedFault>;
  services: Iterable<PlannedFault>;
}

export function planSchedule(random: Random, { nodes, kinds, pace }: ScheduleTerms): Schedule {
  const ofNodes = kinds.filter(strikesNode);
  const ofServices = kinds.filter((kind) => !strikesNode(kind));
  const { nodesPauseMs, servicesPauseMs, durationShare } = pace;
  return {
    nodes: planLane(random.fork("nodes"), ofNodes, { nodes, pauseMs: nodesPauseMs, durationShare }),
    services: planLane(random.fork("services"), ofServices, { nodes: 0, pauseMs: servicesPauseMs, durationShare }),
  };
}

function strikesNode(kind: FaultKind): boolean {
  return !/-(?:gateway|controller|leader|postgres|backends)$/.test(kind);
}

function* planLane(
  random: Random,
  kinds: readonly FaultKind[],
  { nodes, pauseMs, durationShare }: { nodes: number; pauseMs: Span; durationShare: number },
): Generator<PlannedFault> {
  while (kinds.length > 0) {
    for (const kind of random.shuffled(kinds)) {
      const [shortest, longest] = DURATION_MS[kind];
      yield {
        kind,
        node: nodes > 0 ? random.integer(0, nodes - 1) : undefined,
        pauseMs: random.integer(...pauseMs),
        forMs: random.integer(shortest, Math.floor(shortest + (longest - shortest) * durationShare)),
      };
    }
  }
}

export function describeFault({ kind, node, forMs }: PlannedFault): string {
  const whom = node === undefined ? "" : ` node-${node + 1}`;
  return `${kind}${whom}${forMs > 0 ? ` for ${(forMs / 1_000).toFixed(1)} s` : ""}`;
}
