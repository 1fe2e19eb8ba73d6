import { type Clock, limits, SECOND_MS } from "../kernel/index.ts";

/** How long reads from one node take, as this gateway met them lately. */
export interface ReadLatency {
  started(): void;
  /** Answered, or given up: for the order of copies the node was at least so slow. */
  ended(tookMs: number): void;
  /** Nobody waits any more; says nothing. */
  abandoned(): void;
  /** How long one more read would take, what is under way included; undefined for a node not known. */
  expectedMs(): number | undefined;
  /** After so long a read is later than nearly all of them; undefined for a node not known. */
  lateAfterMs(): number | undefined;
}

/** What is older says nothing any more: the node gets its chance again. */
const FORGET_AFTER_MS = 30 * SECOND_MS;
/** Weights of the newest sample. */
const SMOOTHING = 0.2;
const SPREAD_SMOOTHING = 0.25;
/** A read that takes so many usual spreads more than usual is beyond about 95 of 100, for latencies as they come in life. */
const LATE_SPREADS = 4;

export function createReadLatency(clock: Clock): ReadLatency {
  let usualMs = 0;
  let spreadMs = 0;
  let updatedAtMs = -Infinity;
  let inFlight = 0;
  const isKnown = (): boolean => clock.monotonicMs() - updatedAtMs < FORGET_AFTER_MS;

  return {
    started: () => void inFlight++,
    abandoned: () => void inFlight--,
    ended(tookMs) {
      inFlight--;
      const known = isKnown();
      spreadMs = known ? spreadMs + SPREAD_SMOOTHING * (Math.abs(tookMs - usualMs) - spreadMs) : tookMs / 2;
      usualMs = known ? usualMs + SMOOTHING * (tookMs - usualMs) : tookMs;
      updatedAtMs = clock.monotonicMs();
    },
    expectedMs: () => (isKnown() ? usualMs * (inFlight + 1) : undefined),
    lateAfterMs() {
      if (!isKnown()) return undefined;
      return Math.min(Math.max(usualMs + LATE_SPREADS * spreadMs, limits.readHedgeMinMs), limits.readHedgeMaxMs);
    },
  };
}
