import { setTimeout as delay } from "node:timers/promises";

const POLL_MS = 100;

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
