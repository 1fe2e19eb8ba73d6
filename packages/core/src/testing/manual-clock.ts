import type { Clock } from "../kernel/index.ts";

export interface ManualClock extends Clock {
  advance(ms: number): void;
}

/** Time that passes only when told to. */
export function createManualClock(): ManualClock {
  let elapsedMs = 0;
  return {
    monotonicMs: () => elapsedMs,
    now: () => new Date(elapsedMs),
    advance(ms) {
      elapsedMs += ms;
    },
  };
}
