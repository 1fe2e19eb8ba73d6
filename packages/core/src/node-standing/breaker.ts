import { type Clock, limits } from "../kernel/index.ts";

/** Reading has another copy to turn to; a write that leaves a node out leaves a copy out. So it takes less to spare readers. */
export type Purpose = "reading" | "writing";

export interface Breaker {
  /** True while the node should not be asked. `isHeard`: the controller hears it. */
  isOpen(purpose: Purpose, isHeard: boolean): boolean;
  /** Tells that a request goes to the node. If its time is over, this request is the knock, and the others wait for its outcome. */
  attempted(isHeard: boolean): void;
  /** True when this closed it. */
  succeeded(): boolean;
  /** It did not answer, or broke off. True when this opened the breaker for everybody. */
  failed(): boolean;
  /** A reader would not wait any longer. Says little once, and enough for readers when it repeats. */
  overtaken(): void;
}

interface Opening {
  /** Closed to readers only. */
  readersOnly: boolean;
  openedAtMs: number;
  delayMs: number;
  knocking: boolean;
}

const OVERTAKEN_MAX = 3;

/**
 * Leaves a node alone that failed, then lets a single request at a time knock, at growing intervals, until one succeeds.
 *
 * While the controller hears the node the intervals do not grow far: it hung for a moment, or restarted, and is missed.
 * One that the controller misses too is most likely gone, and knocking costs somebody a slow request. So a node's return is
 * noticed soon after the controller notices it.
 */
export function createBreaker(clock: Clock): Breaker {
  let opening: Opening | undefined;
  let overtakenInARow = 0;

  const open = (readersOnly: boolean, delayMs: number, knocking: boolean): void => {
    opening = { readersOnly, openedAtMs: clock.monotonicMs(), delayMs, knocking };
  };
  const waits = ({ openedAtMs, delayMs }: Opening, isHeard: boolean): boolean =>
    clock.monotonicMs() - openedAtMs < (isHeard ? Math.min(delayMs, limits.nodeAvoidHeardMaxMs) : delayMs);
  /** The same mishap fails many requests; only a knock that fails makes the next one wait longer. */
  const fail = (readersOnly: boolean): void => {
    if (opening === undefined) open(readersOnly, limits.nodeAvoidMinMs, false);
    else if (opening.knocking) open(readersOnly && opening.readersOnly, Math.min(opening.delayMs * 2, limits.nodeAvoidMaxMs), false);
    else opening.readersOnly &&= readersOnly;
  };

  return {
    isOpen: (purpose, isHeard) => opening !== undefined && (purpose === "reading" || !opening.readersOnly) && waits(opening, isHeard),
    attempted(isHeard) {
      if (opening !== undefined && !waits(opening, isHeard)) open(opening.readersOnly, opening.delayMs, true);
    },
    succeeded() {
      const wasOpen = opening !== undefined && !opening.readersOnly;
      opening = undefined;
      overtakenInARow = 0;
      return wasOpen;
    },
    failed() {
      const wasOpen = opening !== undefined && !opening.readersOnly;
      fail(false);
      return !wasOpen;
    },
    overtaken() {
      overtakenInARow++;
      if (overtakenInARow >= OVERTAKEN_MAX || opening?.knocking === true) fail(true);
    },
  };
}
