import { setTimeout as delay } from "node:timers/promises";
import type { Clock } from "../kernel/index.ts";

export interface Patience {
  clock: Clock;
  /** From the first failure; 0 tries once. */
  forMs: number;
  signal: AbortSignal;
  /** Whether this failure may pass by itself. */
  mayPass: (error: unknown) => boolean;
}

const PAUSE_MS = { first: 100, max: 2_000 } as const;

/** Repeats `work`, numbered from 0, with growing pauses while it fails for a reason that may pass. Rejects with the last failure. */
export async function patiently<T>({ clock, forMs, signal, mayPass }: Patience, work: (attempt: number) => Promise<T>): Promise<T> {
  let deadlineMs: number | undefined;
  for (let attempt = 0; ; attempt++) {
    const pauseMs = Math.min(PAUSE_MS.first * 2 ** attempt, PAUSE_MS.max);
    try {
      return await work(attempt);
    } catch (error) {
      deadlineMs ??= clock.monotonicMs() + forMs;
      if (signal.aborted || !mayPass(error) || clock.monotonicMs() + pauseMs > deadlineMs) throw error;
    }
    await delay(pauseMs, undefined, { signal });
  }
}
