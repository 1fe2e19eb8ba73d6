import { expect, test } from "vitest";
import { observe, startRate, timeLeftMs } from "./rate.ts";

const MB = 1_000_000;

function steadily(rate = startRate(0, 0), bytesPerSecond: number, seconds: number) {
  let current = rate;
  for (let tick = 1; tick <= seconds * 2; tick++) {
    current = observe(current, rate.bytes + (bytesPerSecond * tick) / 2, rate.atMs + tick * 500);
  }
  return current;
}

test("an upload resumed at 50 GB does not claim to have sent 50 GB in its first second", () => {
  const resumed = startRate(50_000 * MB, 0);
  expect(observe(resumed, 50_010 * MB, 1_000).bytesPerSecond).toBe(10 * MB);
});

test("a steady upload reads its own speed", () => {
  expect(steadily(undefined, 12 * MB, 10).bytesPerSecond).toBeCloseTo(12 * MB);
});

test("a speed that halves is believed within seconds, not at once", () => {
  const fast = steadily(undefined, 20 * MB, 10);
  expect(observe(fast, fast.bytes + 5 * MB, fast.atMs + 500).bytesPerSecond).toBeGreaterThan(12 * MB);
  const slow = steadily(fast, 10 * MB, 10);
  expect(slow.bytesPerSecond).toBeGreaterThan(10 * MB);
  expect(slow.bytesPerSecond).toBeLessThan(11.2 * MB);
});

test("a burst of progress events within one moment changes nothing yet", () => {
  const rate = steadily(undefined, MB, 2);
  expect(observe(rate, rate.bytes + 100 * MB, rate.atMs + 10)).toBe(rate);
});

test("the time left is unknown while nothing moves", () => {
  expect(timeLeftMs(MB, 0)).toBeUndefined();
  expect(timeLeftMs(10 * MB, MB)).toBe(10_000);
});
