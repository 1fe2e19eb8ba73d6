import { type Clock, SECOND_MS } from "../kernel/index.ts";

/** How long nearly all requests of one kind took, of the last seconds. */
export interface RecentLatency {
  add(tookMs: number): void;
  /** 95 of 100 took no longer; 0 when there were too few to tell. */
  lateMs(): number;
}

/** Long enough for a hundred requests of a few users, short enough that what was changed is felt soon. */
const WINDOW_MS = 4 * SECOND_MS;
const SAMPLES_MIN = 10;
/** Of a busy gateway the latest speak for all. */
const SAMPLES_MAX = 2_000;
/** Not more: of a hundred requests the slowest two tell of a disk's whim, or of a collector of garbage, and stay for the whole window. */
const SHARE = 0.95;

export function createRecentLatency(clock: Clock): RecentLatency {
  const samples: { atMs: number; tookMs: number }[] = [];
  let oldest = 0;
  return {
    add(tookMs) {
      samples[oldest] = { atMs: clock.monotonicMs(), tookMs };
      oldest = (oldest + 1) % SAMPLES_MAX;
    },
    lateMs() {
      const sinceMs = clock.monotonicMs() - WINDOW_MS;
      const recent = samples.flatMap(({ atMs, tookMs }) => (atMs >= sinceMs ? [tookMs] : []));
      if (recent.length < SAMPLES_MIN) return 0;
      return recent.toSorted((a, b) => a - b)[Math.ceil(recent.length * SHARE) - 1]!;
    },
  };
}
