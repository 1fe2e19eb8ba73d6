/**
 * Which nodes this gateway leaves alone for the moment, from what its own writes met with.
 *
 * The controller judges nodes for everybody, after seconds; this judges them for one gateway, after one request. A node
 * that failed is left out, then knocked at by a single write at a time, at growing intervals, until one succeeds.
 */
import type { Clock } from "../kernel/index.ts";

export interface NodeAvoidance {
  /** True while the node should not be asked. */
  isAvoided(nodeId: number): boolean;
  /** Tells that a write goes to the node. If its time is over, this write is the knock, and the others wait for its outcome. */
  attempted(nodeId: number): void;
  /** True when this ended an avoidance. */
  succeeded(nodeId: number): boolean;
  /** True when this began one. */
  failed(nodeId: number): boolean;
}

export interface AvoidanceOptions {
  clock: Clock;
  minMs: number;
  maxMs: number;
}

interface Avoided {
  delayMs: number;
  untilMs: number;
  knocking: boolean;
}

export function createNodeAvoidance({ clock, minMs, maxMs }: AvoidanceOptions): NodeAvoidance {
  const avoided = new Map<number, Avoided>();

  const avoid = (nodeId: number, delayMs: number, knocking: boolean): void => {
    avoided.set(nodeId, { delayMs, untilMs: clock.monotonicMs() + delayMs, knocking });
  };
  const isAvoided = (nodeId: number): boolean => clock.monotonicMs() < (avoided.get(nodeId)?.untilMs ?? 0);

  return {
    isAvoided,
    attempted(nodeId) {
      const entry = avoided.get(nodeId);
      if (entry !== undefined && !isAvoided(nodeId)) avoid(nodeId, entry.delayMs, true);
    },
    succeeded: (nodeId) => avoided.delete(nodeId),
    failed(nodeId) {
      const entry = avoided.get(nodeId);
      if (entry === undefined) avoid(nodeId, minMs, false);
      else if (entry.knocking) avoid(nodeId, Math.min(entry.delayMs * 2, maxMs), false); // else: another write of the same mishap
      return entry === undefined;
    },
  };
}
