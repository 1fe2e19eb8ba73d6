import { expect, test } from "vitest";
import { limits, MiB } from "../kernel/index.ts";
import { createManualClock, nodeSnapshot } from "../testing/index.ts";
import { createPace } from "./pace.ts";

const node = (writeLatencyMs: number, readLatencyMs = 0) => [nodeSnapshot(1, { writeLatencyMs, readLatencyMs })];
const { signal } = new AbortController();

/** Copies of 4 MiB at this rate for a while, so that healing is under way. */
function heal(
  pace: ReturnType<typeof createPace>,
  clock: ReturnType<typeof createManualClock>,
  megabytesPerSecond: number,
  seconds = 5,
): void {
  for (let second = 0; second < seconds; second++) {
    clock.advance(1_000);
    pace.copied(megabytesPerSecond * MiB);
  }
}

test("nobody suffers: nothing limits it", () => {
  const clock = createManualClock();
  const pace = createPace(clock);
  pace.observe(node(20));
  heal(pace, clock, 100);
  pace.observe(node(35));
  expect(pace.limit()).toBeUndefined();
});

test("users' writes take four times as long as in quiet: healing goes down to a quarter, and is let go when they recover", () => {
  const clock = createManualClock();
  const pace = createPace(clock);
  for (let look = 0; look < 10; look++) pace.observe(node(40));
  heal(pace, clock, 100);
  pace.observe(node(160));
  expect(pace.limit()! / pace.rate()).toBeCloseTo(0.25, 1);
  pace.observe(node(60));
  expect(pace.limit()).toBeUndefined();
});

test("however much users suffer, it never stands still", () => {
  const clock = createManualClock();
  const pace = createPace(clock);
  pace.observe(node(20));
  heal(pace, clock, 100);
  pace.observe(node(60_000));
  expect(pace.limit()).toBe(limits.healingBytesPerSecondMin);
});

test("reads of nodes that fetch copies are no user's: without users' reads before, they slow nothing down", () => {
  const clock = createManualClock();
  const pace = createPace(clock);
  pace.observe(node(0, 0));
  heal(pace, clock, 100);
  pace.observe(node(0, 200));
  pace.observe(node(0, 900));
  expect(pace.limit()).toBeUndefined();
});

test("an operator's limit is kept from one copy to the next, and a new one applies to those that wait", async () => {
  const clock = createManualClock();
  const pace = createPace(clock);
  pace.order({ bytesPerSecondMax: 1 * MiB, paused: false });
  await pace.pass(4 * MiB, { urgent: false, signal });
  let passed = false;
  const second = pace.pass(4 * MiB, { urgent: false, signal }).then(() => (passed = true));
  clock.advance(3_900);
  await new Promise((resolve) => setTimeout(resolve, 120)); // two looks
  expect(passed).toBe(false);
  pace.order({ bytesPerSecondMax: 100 * MiB, paused: false });
  clock.advance(2);
  await second;
});

test("paused, only what is urgent passes; whoever gives up waiting is told so", async () => {
  const pace = createPace(createManualClock());
  pace.order({ bytesPerSecondMax: null, paused: true });
  await pace.pass(MiB, { urgent: true, signal });
  const leaving = new AbortController();
  const waiting = pace.pass(MiB, { urgent: false, signal: leaving.signal });
  leaving.abort();
  await expect(waiting).rejects.toMatchObject({ name: "AbortError" });
});
