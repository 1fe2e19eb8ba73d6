import { setTimeout as delay } from "node:timers/promises";
import { isDatabaseUnavailable } from "@holdfast/core/http-edge";

const POLL_MS = 100;
const ANSWERED_WITHIN_MS = 10_000;

/** A fault that would prove nothing here, or go beyond what is promised: why it was left out. */
export class Skipped extends Error {
  override readonly name = "Skipped";
}

/** True once `work` says so; false when the time is up first. What it throws counts as "not yet". */
export async function patiently(work: () => Promise<boolean>, forMs: number): Promise<boolean> {
  const giveUp = performance.now() + forMs;
  for (;;) {
    if (await work().catch(() => false)) return true;
    if (performance.now() > giveUp) return false;
    await delay(POLL_MS);
  }
}

/**
 * What the database answers, which has its own bad moments. Rejects with `Skipped` when it is away for long, and with whatever
 * else is wrong at once.
 */
export async function untilAnswered<T>(ask: () => Promise<T>): Promise<T> {
  let giveUp: number | undefined;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!isDatabaseUnavailable(error)) throw error;
      giveUp ??= performance.now() + ANSWERED_WITHIN_MS;
      if (performance.now() > giveUp) throw new Skipped("the database did not answer for long", { cause: error });
    }
    await delay(POLL_MS);
  }
}
