/**
 * Says which nodes change their health, and why.
 *
 * Silence makes a node suspect, then down; a heartbeat makes it up again; writes far slower than the others' make it slow.
 * Several values and not two, because silence alone proves nothing: a suspect node is avoided but still counts as a holder of
 * its chunks; only a node that is down gets its chunks copied elsewhere. Silence only ever makes a node worse; what makes it
 * better is to be heard. So a node nobody has heard since the controller began to lead keeps the health it had.
 *
 * Three things hold a node at suspect that would be something else. In maintenance its silence was expected, so it is not
 * down. A node that keeps going down is not up before it has answered steadily for a while, longer each time: chunks would
 * be copied to and fro with it. And so many are never called down that too few remain: when most of the cluster falls
 * silent at once, it is the controller's own network, and copying everything would be the greater disaster.
 *
 * Pure. The detector applies this plan.
 */
import type { EventSeverity, NodeHealth } from "@holdfast/db";
import type { Pace } from "./pace.ts";
import type { Silence } from "./watched-time.ts";

export interface DetectionLimits {
  heartbeatIntervalMs: number;
  suspectAfterMs: number;
  downAfterMs: number;
}

export interface WatchedNode {
  id: number;
  name: string;
  /** On record, with its reason. */
  health: NodeHealth;
  healthReason: string;
  inMaintenance: boolean;
  silence: Silence;
  /** How often it went down, and became slow, within the last while. */
  falls: number;
  slowdowns: number;
  pace: Pace;
}

export interface HealthTransition {
  nodeId: number;
  name: string;
  from: NodeHealth;
  /** May be the same as `from`, when only the reason is another. */
  to: NodeHealth;
  /** For people: a clause that can follow "node-1 is down:". */
  why: string;
  severity: EventSeverity;
}

const FALLS_FORGIVEN = 3;
const BEATS = {
  /** Steady heartbeats that a node owes after one fall too many; doubled with each further one. */
  owed: 4,
  owedMax: 64,
  /** In a row, to be called slow, and for the first time to be trusted again. */
  slow: 3,
} as const;

/** From this size on a share of the nodes must remain, below it a strict majority. */
const LARGE_CLUSTER = 8;
const REMAINING_SHARE_MIN = 0.75;

const SEVERITY: Record<NodeHealth, EventSeverity> = { up: "info", slow: "warning", suspect: "warning", down: "error" };

const IN_MAINTENANCE = "it is silent, as its maintenance allows";
const TOO_MANY_SILENT = "too many nodes are silent at once, which is most likely our own network";

/** Suspect at a little over two missed heartbeats, so that one lost packet is nothing. Throws when the two times cannot work together. */
export function detectionLimits(heartbeatIntervalMs: number, downAfterMs: number): DetectionLimits {
  if (downAfterMs < 2 * heartbeatIntervalMs) throw new RangeError("a node must be allowed to miss two heartbeats before it counts as down");
  return { heartbeatIntervalMs, suspectAfterMs: Math.min(2.2 * heartbeatIntervalMs, downAfterMs), downAfterMs };
}

/** How many of so many nodes may be away, down or silent in maintenance, before no further one is called down. */
function awayMax(nodes: number): number {
  return nodes < LARGE_CLUSTER ? Math.max(Math.ceil(nodes / 2) - 1, 0) : Math.floor(nodes * (1 - REMAINING_SHARE_MIN));
}

/** `nodes` are all that belong to the cluster. */
export function planHealth(nodes: readonly WatchedNode[], limits: DetectionLimits): HealthTransition[] {
  const verdicts = withBrake(
    nodes.map((node) => ({ node, ...verdictOn(node, limits) })),
    limits,
  );
  return verdicts.filter(isNews).map(({ node, health, why, severity = SEVERITY[health] }) => ({
    nodeId: node.id,
    name: node.name,
    from: node.health,
    to: health,
    why,
    severity,
  }));
}

interface Verdict {
  health: NodeHealth;
  why: string;
  /** It would be something else but for this reason, which is news even when its health stays the same. */
  held?: boolean;
  severity?: EventSeverity;
}

type VerdictOnNode = Verdict & { node: WatchedNode };

function isNews({ node, health, why, held }: VerdictOnNode): boolean {
  return health !== node.health || (held === true && why !== node.healthReason);
}

function verdictOn(node: WatchedNode, limits: DetectionLimits): Verdict {
  const { health, healthReason, inMaintenance, silence } = node;
  const unchanged: Verdict = { health, why: healthReason };
  if (silence.ms < limits.suspectAfterMs) return silence.everHeard ? verdictOnAnswering(node, limits) : unchanged;
  if (inMaintenance) return { health: "suspect", why: IN_MAINTENANCE, held: true, severity: "info" };
  if (silence.ms >= limits.downAfterMs) return { health: "down", why: silenceInWords(silence) };
  return health === "down" ? unchanged : { health: "suspect", why: silenceInWords(silence) };
}

function verdictOnAnswering(node: WatchedNode, { heartbeatIntervalMs }: DetectionLimits): Verdict {
  const { health, silence, falls, pace } = node;
  const owedMs = steadyBeatsOwed(falls) * heartbeatIntervalMs;
  if ((health === "down" || health === "suspect") && silence.steadyMs < owedMs) {
    const why = `it went down ${falls} times within a short while, and must answer steadily for ${inSeconds(owedMs)} first`;
    return { health: "suspect", why, held: true };
  }
  if (health === "slow")
    return pace.fineBeats >= fineBeatsOwed(node) ? { health: "up", why: "its writes are quick again" } : stillSlow(node);
  if (pace.slowBeats >= BEATS.slow) return { health: "slow", why: slownessInWords(pace) };
  return { health: "up", why: "it answers again" };
}

function stillSlow({ healthReason }: WatchedNode): Verdict {
  return { health: "slow", why: healthReason };
}

function steadyBeatsOwed(falls: number): number {
  return falls <= FALLS_FORGIVEN ? 0 : Math.min(BEATS.owed * 2 ** (falls - FALLS_FORGIVEN - 1), BEATS.owedMax);
}

/** Twice as many with every relapse: each try costs somebody slow writes. */
function fineBeatsOwed({ slowdowns }: WatchedNode): number {
  return Math.min(BEATS.slow * 2 ** Math.max(slowdowns - 1, 0), BEATS.owedMax);
}

/** Lets only as many go down as the cluster can spare, those first that have been silent for longest. */
function withBrake(verdicts: VerdictOnNode[], { suspectAfterMs }: DetectionLimits): VerdictOnNode[] {
  const isAway = ({ node, health }: VerdictOnNode): boolean =>
    (node.health === "down" && health === "down") || (node.inMaintenance && node.silence.ms >= suspectAfterMs);
  const spare = awayMax(verdicts.length) - verdicts.filter(isAway).length;
  const falling = verdicts.filter(({ node, health }) => health === "down" && node.health !== "down");
  const held = new Set(
    falling.toSorted((a, b) => b.node.silence.ms - a.node.silence.ms || a.node.id - b.node.id).slice(Math.max(spare, 0)),
  );
  return verdicts.map((verdict) =>
    held.has(verdict) ? { node: verdict.node, health: "suspect", why: TOO_MANY_SILENT, held: true, severity: "error" } : verdict,
  );
}

function silenceInWords({ ms, everHeard }: Silence): string {
  return everHeard ? `no heartbeat for ${inSeconds(ms)}` : `no heartbeat since the controller started ${inSeconds(ms)} ago`;
}

function slownessInWords({ writeLatencyMs, usualMs }: Pace): string {
  return `a durable write takes ${Math.round(writeLatencyMs)} ms there, and ${Math.round(usualMs)} ms on the other nodes`;
}

function inSeconds(ms: number): string {
  return `${Math.floor(ms / 1_000)} s`;
}
