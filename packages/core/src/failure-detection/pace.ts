/** How fast a node writes, compared with the others at the same time. */
export interface Pace {
  /** Heartbeats in a row that told of writes far slower than the others', and that did not. One of the two is 0. */
  slowBeats: number;
  fineBeats: number;
  /** A typical durable write there, as it last said, and on the others; 0 when not known. */
  writeLatencyMs: number;
  usualMs: number;
}

export interface PaceWatch {
  heard(nodeId: number, writeLatencyMs: number): void;
  pace(nodeId: number): Pace;
}

/** Far slower: this many times what the others need, and long enough that somebody feels it. */
const SLOW_FACTOR = 5;
const SLOW_MS_MIN = 200;

const UNKNOWN: Pace = { slowBeats: 0, fineBeats: 0, writeLatencyMs: 0, usualMs: 0 };

/**
 * Compares nodes with each other and never with a fixed time: when everybody is slow, that is the load, and nobody is spared
 * by burdening the rest. A node nobody writes to tells no latency; that counts as fine, or it would get no second chance.
 */
export function createPaceWatch(isPresent: (nodeId: number) => boolean): PaceWatch {
  const paces = new Map<number, Pace>();
  return {
    pace: (nodeId) => paces.get(nodeId) ?? UNKNOWN,
    heard(nodeId, writeLatencyMs) {
      const { slowBeats, fineBeats } = paces.get(nodeId) ?? UNKNOWN;
      const others = [...paces].filter(([id]) => id !== nodeId && isPresent(id)).map(([, pace]) => pace.writeLatencyMs);
      const usualMs = median(others.filter((ms) => ms > 0));
      const isSlow = usualMs > 0 && writeLatencyMs > Math.max(SLOW_FACTOR * usualMs, SLOW_MS_MIN);
      const streak = isSlow ? { slowBeats: slowBeats + 1, fineBeats: 0 } : { slowBeats: 0, fineBeats: fineBeats + 1 };
      paces.set(nodeId, { ...streak, writeLatencyMs, usualMs });
    },
  };
}

/** Of two the slower one: in doubt nobody is slow. 0 of nothing. */
function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
