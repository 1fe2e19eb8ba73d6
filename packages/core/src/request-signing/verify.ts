import { timingSafeEqual } from "node:crypto";
import { type Clock, limits, systemClock } from "../kernel/index.ts";
import { createNonceMemory } from "./nonce-memory.ts";
import { signatureOf, type SignedRequest } from "./sign.ts";

/** Only `valid` may pass. The others are for logs and for the sentence that says what to look at, such as a clock. */
export type SignatureVerdict = "valid" | "missing" | "malformed" | "expired" | "replayed" | "wrong";

export interface ReceivedRequest extends SignedRequest {
  /** Lower-case names, as `node:http` gives them. */
  headers: Readonly<Record<string, string | string[] | undefined>>;
  /**
   * Whether doing it twice is harmless, as with a read. Any other request must have been signed since the verifier is there:
   * which nonces were spent before, it cannot know.
   */
  repeatable?: boolean;
}

export interface RequestVerifier {
  /** Spends the nonce: the same request asked about again is `replayed`. */
  verify(request: ReceivedRequest): SignatureVerdict;
}

const TIME = /^[0-9]{1,15}$/;
const NONCE = /^[A-Za-z0-9_-]{16}$/;
const SIGNATURE = /^[0-9a-f]{64}$/;

export function createRequestVerifier(key: string, clock: Clock = systemClock): RequestVerifier {
  const nonces = createNonceMemory(clock);
  const startedAtMs = clock.now().getTime();
  return {
    verify({ method, path, headers, repeatable = false }) {
      const { "holdfast-time": time, "holdfast-nonce": nonce, "holdfast-signature": signature } = headers;
      if (time === undefined && nonce === undefined && signature === undefined) return "missing";
      if (!matches(time, TIME) || !matches(nonce, NONCE) || !matches(signature, SIGNATURE)) return "malformed";

      const sentAtMs = Number(time);
      if (Math.abs(clock.now().getTime() - sentAtMs) > limits.signatureWindowMs) return "expired";
      if (!timingSafeEqual(signatureOf(key, { method, path }, time, nonce), Buffer.from(signature, "hex"))) return "wrong";
      if (!repeatable && sentAtMs < startedAtMs) return "expired";
      // Last, so that only holders of the key can fill the memory.
      return nonces.spend(nonce, sentAtMs);
    },
  };
}

function matches(header: string | string[] | undefined, pattern: RegExp): header is string {
  return typeof header === "string" && pattern.test(header);
}
