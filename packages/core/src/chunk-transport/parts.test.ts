import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { chunkIdOf } from "../chunking/index.ts";
import { limits } from "../kernel/index.ts";
import { sessionKeyOf } from "../request-signing/index.ts";
import { FrameError } from "./frame-error.ts";
import { type AskedPart, decodePart, encodePart, isSealed, sealOf } from "./parts.ts";

const keyOf = (nonce: string) => sessionKeyOf("test-cluster-key-test-cluster-key", "holdfast-chunks/1", { request: nonce, answer: nonce });
const key = keyOf("one");
const asked: AskedPart = { number: 7, id: chunkIdOf(randomBytes(10)), part: { from: 70_000, to: 80_000 } };
const bytes = randomBytes(10_000);

const others: [string, Partial<AskedPart>][] = [
  ["another request", { number: 8 }],
  ["another chunk", { id: chunkIdOf(randomBytes(10)) }],
  ["another beginning", { part: { from: 69_999, to: 80_000 } }],
  ["another end", { part: { from: 70_000, to: 80_001 } }],
];

test("what was asked and answered is understood", () => {
  expect(decodePart(encodePart(asked, key), asked, key)).toEqual(asked.part);
  expect(isSealed(asked, bytes, sealOf(asked, bytes, key), key)).toBe(true);
});

test.each(others)("the seal of an answer to %s seals nothing here", (_what, change) => {
  expect(isSealed(asked, bytes, sealOf({ ...asked, ...change }, bytes, key), key)).toBe(false);
});

test("a seal of another session, or of other bytes, seals nothing here", () => {
  const changed = Buffer.from(bytes);
  changed[5_000]! ^= 1;
  expect(isSealed(asked, bytes, sealOf(asked, bytes, keyOf("two")), key)).toBe(false);
  expect(isSealed(asked, changed, sealOf(asked, bytes, key), key)).toBe(false);
});

test.each(others.slice(0, 2))("the place of a part in %s is none in this one", (_what, change) => {
  expect(() => decodePart(encodePart(asked, key), { ...asked, ...change }, key)).toThrow(FrameError);
});

test("one bit of a part's place, anywhere, is noticed", () => {
  const body = encodePart(asked, key);
  for (let at = 0; at < body.length; at++) {
    const changed = Buffer.from(body);
    changed[at]! ^= 1;
    expect(() => decodePart(changed, asked, key)).toThrow(FrameError);
  }
});

test.each([
  ["of no bytes", { from: 5, to: 5 }],
  ["that ends before it begins", { from: 6, to: 5 }],
  ["beyond the longest chunk", { from: 0, to: limits.chunkBytesMax + 1 }],
])("a part %s is no request, whoever signed it", (_what, part) => {
  expect(() => decodePart(encodePart({ ...asked, part }, key), asked, key)).toThrow(FrameError);
});
