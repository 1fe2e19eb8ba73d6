export interface Percentiles {
  count: number;
  p50Ms: number;
  p99Ms: number;
}

/** The middle of the times and what one in a hundred exceeds; NaN when there are none. */
export function percentilesOf(timesMs: readonly number[]): Percentiles {
  const ordered = timesMs.toSorted((a, b) => a - b);
  const at = (share: number): number => ordered[Math.min(ordered.length - 1, Math.floor(ordered.length * share))] ?? Number.NaN;
  return { count: ordered.length, p50Ms: at(0.5), p99Ms: at(0.99) };
}
