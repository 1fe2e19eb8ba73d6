import { type Clock, MINUTE_MS, systemClock } from "../kernel/index.ts";

/** How long one kind of operation takes on this node, from those that were done lately. */
export interface LatencyMeter {
  /** Takes note of how long `work` took. One that fails, or that `counts` says did not do the work, tells nothing. */
  measure<T>(work: () => Promise<T>, counts?: (result: T) => boolean): Promise<T>;
  /** The median of the last minute: one hiccup does not move it, a failing disk does. 0 when there was nothing. */
  typicalMs(): number;
}

/** A busy node does thousands a minute; the newest of them are enough. */
const SAMPLES_MAX = 256;
const WINDOW_MS = MINUTE_MS;

export function createLatencyMeter(clock: Clock = systemClock): LatencyMeter {
  const samples: { endedAtMs: number; tookMs: number }[] = [];
  return {
    async measure(work, counts = () => true) {
      const startedAtMs = clock.monotonicMs();
      const result = await work();
      const endedAtMs = clock.monotonicMs();
      if (!counts(result)) return result;
      samples.push({ endedAtMs, tookMs: endedAtMs - startedAtMs });
      if (samples.length > SAMPLES_MAX) samples.shift();
      return result;
    },
    typicalMs() {
      const sinceMs = clock.monotonicMs() - WINDOW_MS;
      const recent = samples.filter(({ endedAtMs }) => endedAtMs > sinceMs).map(({ tookMs }) => tookMs);
      return recent.toSorted((a, b) => a - b)[Math.floor(recent.length / 2)] ?? 0;
    },
  };
}
