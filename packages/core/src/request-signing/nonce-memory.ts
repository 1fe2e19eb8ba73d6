import { type Clock, limits } from "../kernel/index.ts";

export interface NonceMemory {
  /** `expired` when the request is so old that its nonce may have been forgotten. */
  spend(nonce: string, sentAtMs: number): "valid" | "replayed" | "expired";
}

interface Generation {
  nonces: Set<string>;
  startedAtMs: number;
  /** The latest send time among its requests. */
  latestSentAtMs: number;
}

/**
 * Remembers nonces in two generations; when the young one is full or old enough, the elder is dropped whole.
 *
 * What was dropped must never pass again, so its latest send time becomes the earliest that is still accepted. In quiet
 * times that is far outside the window anyway; it matters in a flood, and when the clock was set back.
 */
export function createNonceMemory(clock: Clock, noncesMax: number = limits.signatureNoncesMax): NonceMemory {
  let young = newGeneration(clock);
  let elder = newGeneration(clock);
  let forgottenUntilMs = Number.NEGATIVE_INFINITY;

  const isDue = (): boolean =>
    young.nonces.size >= noncesMax / 2 || clock.monotonicMs() - young.startedAtMs >= 2 * limits.signatureWindowMs;

  return {
    spend(nonce, sentAtMs) {
      if (isDue()) {
        forgottenUntilMs = Math.max(forgottenUntilMs, elder.latestSentAtMs);
        elder = young;
        young = newGeneration(clock);
      }
      if (sentAtMs <= forgottenUntilMs) return "expired";
      if (young.nonces.has(nonce) || elder.nonces.has(nonce)) return "replayed";
      young.nonces.add(nonce);
      young.latestSentAtMs = Math.max(young.latestSentAtMs, sentAtMs);
      return "valid";
    },
  };
}

function newGeneration(clock: Clock): Generation {
  return { nonces: new Set(), startedAtMs: clock.monotonicMs(), latestSentAtMs: Number.NEGATIVE_INFINITY };
}
