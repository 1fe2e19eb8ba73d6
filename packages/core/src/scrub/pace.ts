import { setTimeout as delay } from "node:timers/promises";
import { type Clock, SECOND_MS } from "../kernel/index.ts";

/** How long one chunk waits at most for a busy node: however much is going on, it gets on. */
const BUSY_WAIT_MS_MAX = 1 * SECOND_MS;
const BUSY_LOOK_MS = 20;

/** Keeps what goes through all chunks to its speed, and out of the way of whoever needs the disk now. */
export class Pace {
  readonly #clock: Clock;
  readonly #isBusy: () => boolean;
  #freeAtMs = 0;
  #changed = new AbortController();

  constructor(isBusy: () => boolean, clock: Clock) {
    this.#isBusy = isBusy;
    this.#clock = clock;
  }

  /** Nobody waits any longer for what the speed was until now. */
  change(): void {
    this.#freeAtMs = 0;
    this.#changed.abort();
    this.#changed = new AbortController();
  }

  /** Waits for the turn of a chunk. Ends early when the speed changes or `signal` aborts; neither rejects. */
  async take(bytes: number, bytesPerSecond: number, signal: AbortSignal): Promise<void> {
    const nowMs = this.#clock.monotonicMs();
    const waitMs = Math.max(0, this.#freeAtMs - nowMs);
    this.#freeAtMs = nowMs + waitMs + (bytes / bytesPerSecond) * SECOND_MS;
    const ended = AbortSignal.any([signal, this.#changed.signal]);
    if (waitMs > 0) await pause(waitMs, ended);
    for (let waited = 0; waited < BUSY_WAIT_MS_MAX && this.#isBusy() && !signal.aborted; waited += BUSY_LOOK_MS)
      await pause(BUSY_LOOK_MS, signal);
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await Promise.allSettled([delay(ms, undefined, { signal })]);
}
