/** How long answers took, inside and outside of faults, and what they were. */
import { type Percentiles, percentilesOf } from "@holdfast/cluster/testing";

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
    return percentilesOf(ours.map(({ startMs, endMs }) => endMs - startMs));
  }

  #touchesFault({ startMs, endMs }: Sample): boolean {
    return this.faults.some((fault) => startMs <= fault.endMs + AFTERMATH_MS && endMs >= fault.startMs);
  }
}
