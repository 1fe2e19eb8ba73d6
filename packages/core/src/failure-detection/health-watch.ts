import { type Clock, MINUTE_MS } from "../kernel/index.ts";
import { createPaceWatch, type PaceWatch } from "./pace.ts";
import { type DetectionLimits, type HealthTransition, planHealth, type WatchedNode } from "./plan.ts";
import { createHeartbeatWatch, type HeartbeatWatch } from "./watched-time.ts";

/** How long it is held against a node that it went down or was slow. */
const MEMORY_MS = 10 * MINUTE_MS;

export type NodeOnRecord = Pick<WatchedNode, "id" | "name" | "health" | "healthReason" | "inMaintenance">;

/** What one controller has seen of the nodes since it leads. In memory only: a successor begins with no opinion of anybody. */
export class HealthWatch {
  readonly #limits: DetectionLimits;
  readonly #heartbeats: HeartbeatWatch;
  readonly #paces: PaceWatch;
  /** When each went down, and became slow, in watched time. */
  readonly #falls = new Map<number, number[]>();
  readonly #slowdowns = new Map<number, number[]>();

  constructor(limits: DetectionLimits, clock: Clock) {
    this.#limits = limits;
    this.#heartbeats = createHeartbeatWatch({ clock, gapMaxMs: limits.heartbeatIntervalMs, steadyGapMs: limits.suspectAfterMs });
    this.#paces = createPaceWatch((nodeId) => this.#heartbeats.silence(nodeId).ms < limits.suspectAfterMs);
  }

  /** `writeLatencyMs` as the node said, 0 when it did not know. */
  heard(nodeId: number, writeLatencyMs: number): void {
    this.#heartbeats.heard(nodeId);
    this.#paces.heard(nodeId, writeLatencyMs);
  }

  hasHeard(nodeId: number): boolean {
    return this.#heartbeats.silence(nodeId).everHeard;
  }

  /** Whether it has been silent for as long as a node that is down, whatever it is called. */
  isGone(nodeId: number): boolean {
    return this.#heartbeats.silence(nodeId).ms >= this.#limits.downAfterMs;
  }

  /** Of all nodes that belong to the cluster. The time since the last call counts as watched. */
  plan(nodes: readonly NodeOnRecord[]): HealthTransition[] {
    this.#heartbeats.look();
    const watched = nodes.map((node) => ({
      ...node,
      silence: this.#heartbeats.silence(node.id),
      falls: this.#lately(this.#falls, node.id).length,
      slowdowns: this.#lately(this.#slowdowns, node.id).length,
      pace: this.#paces.pace(node.id),
    }));
    return planHealth(watched, this.#limits);
  }

  /** Says that a transition of the plan is on record now. */
  applied({ nodeId, from, to }: HealthTransition): void {
    if (from === to) return;
    if (to === "down") this.#remember(this.#falls, nodeId);
    if (to === "slow") this.#remember(this.#slowdowns, nodeId);
  }

  #remember(history: Map<number, number[]>, nodeId: number): void {
    history.set(nodeId, [...this.#lately(history, nodeId), this.#heartbeats.watchedMs()]);
  }

  #lately(history: Map<number, number[]>, nodeId: number): number[] {
    const sinceMs = this.#heartbeats.watchedMs() - MEMORY_MS;
    return (history.get(nodeId) ?? []).filter((atMs) => atMs > sinceMs);
  }
}
