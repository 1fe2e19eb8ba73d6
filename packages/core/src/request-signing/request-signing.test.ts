import { createHmac, randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { HOUR_MS, limits } from "../kernel/index.ts";
import { createManualClock } from "../testing/index.ts";
import { createRequestVerifier, type SignatureHeaders, signRequest } from "./index.ts";
import { createNonceMemory } from "./nonce-memory.ts";
import { SessionKey } from "./session-key.ts";

const KEY = "k".repeat(32);
const REQUEST = { method: "PUT", path: "/chunks/ab?x=1" };

function setUp() {
  const clock = createManualClock();
  clock.advance(HOUR_MS);
  const headers = signRequest(KEY, REQUEST, clock);
  return { clock, headers, verifier: createRequestVerifier(KEY, clock) };
}

test("a request signed with the cluster key passes", () => {
  const { verifier, headers } = setUp();
  expect(verifier.verify({ ...REQUEST, headers })).toBe("valid");
});

test("a request without a signature is refused", () => {
  expect(setUp().verifier.verify({ ...REQUEST, headers: { host: "node" } })).toBe("missing");
});

test.each<[string, Partial<Record<keyof SignatureHeaders, string | string[] | undefined>>]>([
  ["a header left out", { "holdfast-nonce": undefined }],
  ["a time that is no whole number", { "holdfast-time": "1e12" }],
  ["a negative time", { "holdfast-time": "-1" }],
  ["a nonce of another length", { "holdfast-nonce": "short" }],
  ["a nonce with a line feed", { "holdfast-nonce": "aaaaaaaaaaaaaaa\n" }],
  ["a signature in upper case", { "holdfast-signature": "A".repeat(64) }],
  ["a signature cut short", { "holdfast-signature": "ab" }],
  ["a header sent twice", { "holdfast-signature": ["a".repeat(64), "b".repeat(64)] }],
])("%s is refused as malformed", (_case, change) => {
  const { verifier, headers } = setUp();
  expect(verifier.verify({ ...REQUEST, headers: { ...headers, ...change } })).toBe("malformed");
});

describe("a signature is refused when it was made", () => {
  test("with another key", () => {
    const { clock, verifier } = setUp();
    expect(verifier.verify({ ...REQUEST, headers: signRequest("x".repeat(32), REQUEST, clock) })).toBe("wrong");
  });

  test.each([
    ["method", { method: "DELETE", path: REQUEST.path }],
    ["path", { method: "PUT", path: "/chunks/cd?x=1" }],
    ["query", { method: "PUT", path: "/chunks/ab?x=2" }],
  ])("for another %s", (_part, request) => {
    const { verifier, headers } = setUp();
    expect(verifier.verify({ ...request, headers })).toBe("wrong");
  });

  test.each([
    ["time", { "holdfast-time": String(HOUR_MS + 1) }],
    ["nonce", { "holdfast-nonce": "AAAAAAAAAAAAAAAA" }],
  ])("and its %s was changed afterwards", (_part, change) => {
    const { verifier, headers } = setUp();
    expect(verifier.verify({ ...REQUEST, headers: { ...headers, ...change } })).toBe("wrong");
  });
});

test("a captured request does not work a second time, however long one waits", () => {
  const { clock, verifier } = setUp();
  const send = () => verifier.verify({ ...REQUEST, headers: signRequest(KEY, REQUEST, clock) });
  send();
  clock.advance(2 * limits.signatureWindowMs - 1); // the memory is about to rotate
  const ahead = { ...clock, now: () => new Date(clock.now().getTime() + limits.signatureWindowMs) };
  const captured = { ...REQUEST, headers: signRequest(KEY, REQUEST, ahead) };
  expect(verifier.verify(captured)).toBe("valid");

  for (let waitedMs = 0; waitedMs < 6 * limits.signatureWindowMs; waitedMs += 1_000) {
    expect(verifier.verify(captured)).toMatch(/^(replayed|expired)$/);
    clock.advance(1_000);
    expect(send()).toBe("valid");
  }
});

test("a request captured before a restart is refused after it, unless to do it again is harmless", () => {
  const { clock, headers } = setUp();
  clock.advance(1);
  const restarted = createRequestVerifier(KEY, clock);
  expect(restarted.verify({ ...REQUEST, headers })).toBe("expired");
  expect(restarted.verify({ ...REQUEST, headers, repeatable: true })).toBe("valid");
  expect(restarted.verify({ ...REQUEST, headers, repeatable: true })).toBe("replayed");
  expect(restarted.verify({ ...REQUEST, headers: signRequest(KEY, REQUEST, clock) })).toBe("valid");
});

test("a request from a clock too far behind or ahead is refused", () => {
  for (const skewMs of [-limits.signatureWindowMs - 1, limits.signatureWindowMs + 1]) {
    const { clock, verifier } = setUp();
    const theirs = createManualClock();
    theirs.advance(HOUR_MS + skewMs);
    expect(verifier.verify({ ...REQUEST, headers: signRequest(KEY, REQUEST, theirs) })).toBe("expired");
    expect(verifier.verify({ ...REQUEST, headers: signRequest(KEY, REQUEST, clock) })).toBe("valid");
  }
});

test("a flood of requests cannot push a nonce out of the memory and replay it", () => {
  const clock = createManualClock();
  const memory = createNonceMemory(clock, 100);
  const firstSentAtMs = clock.now().getTime();
  expect(memory.spend("first", firstSentAtMs)).toBe("valid");
  for (let index = 0; index < 1_000; index++) {
    clock.advance(1);
    memory.spend(`nonce-${index}`, clock.now().getTime());
  }
  expect(memory.spend("first", firstSentAtMs)).toBe("expired");
});

test("a session's MACs are HMAC-SHA256, whatever was signed before, and in however many parts it comes", () => {
  const bytes = randomBytes(32);
  const key = new SessionKey(bytes);
  for (const length of [128, 0, 1, 44, 63, 64, 127]) {
    const message = randomBytes(length);
    const expected = createHmac("sha256", bytes).update(message).digest();
    expect(key.mac(message).equals(expected)).toBe(true);
    expect(key.mac(message.subarray(0, length >> 1), message.subarray(length >> 1)).equals(expected)).toBe(true);
  }
  expect(() => key.mac(Buffer.alloc(100), Buffer.alloc(29))).toThrow(RangeError);
});
