/** How long answers took, inside and outside of faults, and what they were. */

export interface Sample {
  kind: string;
  startMs: number;
  endMs: number;
}

export interface Span {
  startMs: number;
  /** Infinity while it lasts. */
  endMs: number;
}

export interface Percentiles {
  count: number;
  p50Ms: number;
  p99Ms: number;
}

/** A fault is felt for a while after it has ended: processes start, connections are made anew. */
const AFTERMATH_MS = 2_000;

export class Measurements {
  readonly samples: Sample[] = [];
  readonly faults: Span[] = [];
  readonly statuses = new Map<string, number>();

  count(status: string): void {
    this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
  }

  add(kind: string, startMs: number): void {
    this.samples.push({ kind, startMs, endMs: performance.now() });
  }

  /** A fault begins now; the answer says that it has ended. */
  beginFault(): () => void {
    const span = { startMs: performance.now(), endMs: Number.POSITIVE_INFINITY };
    this.faults.push(span);
    return () => void (span.endMs = performance.now());
  }

  percentiles(kind: string, inside: boolean): Percentiles {
    const ours = this.samples.filter((sample) => sample.kind === kind && this.#touchesFault(sample) === inside);
    const ordered = ours.map(({ startMs, endMs }) => endMs - startMs).toSorted((a, b) => a - b);
    const at = (share: number): number => ordered[Math.min(ordered.length - 1, Math.floor(ordered.length * share))] ?? Number.NaN;
    return { count: ordered.length, p50Ms: at(0.5), p99Ms: at(0.99) };
  }

  #touchesFault({ startMs, endMs }: Sample): boolean {
    return this.faults.some((fault) => startMs <= fault.endMs + AFTERMATH_MS && endMs >= fault.startMs);
  }
}
