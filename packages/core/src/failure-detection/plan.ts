/**
 * Says which nodes change their health: up → suspect → down with growing silence, and back to up with the next heartbeat.
 *
 * Three values and not two, because silence alone proves nothing: a suspect node is avoided but still counts as a holder of its
 * chunks; only a node that is down gets its chunks copied elsewhere. Silence only ever makes a node worse; what makes it
 * better is to be heard. So a node nobody has heard since the controller started keeps the health it had.
 *
 * Pure. The detector applies this plan.
 */
import type { NodeHealth } from "@holdfast/db";
import type { Silence } from "./watched-time.ts";

export interface DetectionLimits {
  heartbeatIntervalMs: number;
  suspectAfterMs: number;
  downAfterMs: number;
}

export interface WatchedNode {
  id: number;
  name: string;
  health: NodeHealth;
  silence: Silence;
}

export interface HealthTransition {
  nodeId: number;
  name: string;
  from: NodeHealth;
  to: NodeHealth;
  /** For people: a clause that can follow "node-1 is down:". */
  why: string;
}

/** Suspect at a little over two missed heartbeats, so that one lost packet is nothing. Throws when the two times cannot work together. */
export function detectionLimits(heartbeatIntervalMs: number, downAfterMs: number): DetectionLimits {
  if (downAfterMs < 2 * heartbeatIntervalMs) throw new RangeError("a node must be allowed to miss two heartbeats before it counts as down");
  return { heartbeatIntervalMs, suspectAfterMs: Math.min(2.2 * heartbeatIntervalMs, downAfterMs), downAfterMs };
}

export function planHealth(nodes: readonly WatchedNode[], limits: DetectionLimits): HealthTransition[] {
  return nodes.flatMap((node) => {
    const to = nextHealth(node, limits);
    return to === node.health ? [] : [{ nodeId: node.id, name: node.name, from: node.health, to, why: reason(to, node.silence) }];
  });
}

function nextHealth({ health, silence }: WatchedNode, { suspectAfterMs, downAfterMs }: DetectionLimits): NodeHealth {
  if (silence.ms >= downAfterMs) return "down";
  if (silence.ms >= suspectAfterMs) return health === "down" ? "down" : "suspect";
  return silence.everHeard ? "up" : health;
}

function reason(to: NodeHealth, { ms, everHeard }: Silence): string {
  if (to === "up") return "it answers again";
  const seconds = `${Math.floor(ms / 1_000)} s`;
  return everHeard ? `no heartbeat for ${seconds}` : `no heartbeat since the controller started ${seconds} ago`;
}
