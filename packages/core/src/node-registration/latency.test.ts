import { expect, test } from "vitest";
import { createManualClock } from "../testing/index.ts";
import { createLatencyMeter } from "./index.ts";

function setting() {
  const clock = createManualClock();
  const meter = createLatencyMeter(clock);
  const take = (ms: number, counts?: () => boolean) => meter.measure(async () => clock.advance(ms), counts);
  return { clock, meter, take };
}

test("one hiccup among many writes is not how long writes take", async () => {
  const { meter, take } = setting();
  for (const ms of [8, 9, 4_000, 10, 9]) await take(ms);
  expect(meter.typicalMs()).toBe(9);
});

test("a disk that has become slow shows once most of the last minute's writes were slow", async () => {
  const { clock, meter, take } = setting();
  for (let count = 0; count < 50; count++) await take(10);
  clock.advance(55_000);
  for (let count = 0; count < 3; count++) await take(2_000);
  expect(meter.typicalMs()).toBe(2_000);
});

test("nothing done within a minute, or nothing that counts, says nothing", async () => {
  const { clock, meter, take } = setting();
  await take(5, () => false);
  expect(meter.typicalMs()).toBe(0);
  await take(5);
  expect(meter.typicalMs()).toBe(5);
  clock.advance(60_000);
  expect(meter.typicalMs()).toBe(0);
});

test("work that fails passes its error on and counts for nothing", async () => {
  const { meter } = setting();
  await expect(meter.measure(() => Promise.reject(new Error("the disk is gone")))).rejects.toThrow("the disk is gone");
  expect(meter.typicalMs()).toBe(0);
});
