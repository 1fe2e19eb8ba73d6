import { setTimeout as delay } from "node:timers/promises";
import { type Clock, SECOND_MS, systemClock } from "@holdfast/core/kernel";

export interface PaceOptions {
  latencyMs: number;
  /** Shared by all chunks on their way; absent for no limit. */
  bytesPerSecond?: number | undefined;
}

/** Makes whatever passes wait as a slow disk or a thin line would: first for its turn on the line, then for the line's length. */
export class Pace {
  readonly #options: PaceOptions;
  readonly #ended: AbortSignal;
  readonly #clock: Clock;
  #lineFreeAtMs = 0;

  /** `ended` lets everybody go who still waits. */
  constructor(options: PaceOptions, ended: AbortSignal, clock: Clock = systemClock) {
    this.#options = options;
    this.#ended = ended;
    this.#clock = clock;
  }

  async pass(bytes: number): Promise<void> {
    await delay(this.#waitMs(bytes), undefined, { signal: this.#ended }).catch(() => undefined); // rejects only when it ended
  }

  #waitMs(bytes: number): number {
    const { latencyMs, bytesPerSecond } = this.#options;
    if (bytesPerSecond === undefined) return latencyMs;
    const nowMs = this.#clock.monotonicMs();
    this.#lineFreeAtMs = Math.max(this.#lineFreeAtMs, nowMs) + (bytes / bytesPerSecond) * SECOND_MS;
    return this.#lineFreeAtMs - nowMs + latencyMs;
  }
}
