import { describe, expect, test } from "vitest";
import type { GatewayFelt } from "../foreground/index.ts";
import { limits, MiB, SECOND_MS } from "../kernel/index.ts";
import { createManualClock } from "../testing/index.ts";
import { createPace } from "./pace.ts";

const felt = (writeMs: number, gatewayId = "gateway"): GatewayFelt => ({ gatewayId, readMs: 0, writeMs });
const { signal } = new AbortController();

function setting() {
  const clock = createManualClock();
  const pace = createPace(clock);
  return {
    clock,
    pace,
    megabytes: () => (pace.limit() ?? 0) / MiB,
    /** Seconds in which users feel this while so much is copied as is allowed, at most `most` a second. */
    heal: (seconds: number, feels: (rate: number) => readonly GatewayFelt[], most = 1_000 * MiB): void => {
      for (let second = 0; second < seconds; second++) {
        const rate = Math.min(pace.limit() ?? most, most);
        for (let part = 0; part < 10; part++) {
          clock.advance(SECOND_MS / 10);
          pace.copied(rate / 10);
        }
        pace.observe(feels(rate));
      }
    },
  };
}

/** A dozen requests a second, each of random length times `factor` of the rate of copying. What is told is 99 of 100 in the last four seconds. */
function someUsers(factor: (rate: number) => number) {
  let state = 1;
  const random = (): number => ((state = (state * 1_103_515_245 + 12_345) % 2 ** 31) + 0.5) / 2 ** 31;
  const scatter = (): number => Math.exp(0.6 * Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random()));
  const slowest = (times: readonly number[]): number => times.toSorted((a, b) => a - b)[Math.ceil(times.length * 0.99) - 1]!;
  const times: number[] = [];
  const rates: number[] = [];
  return {
    /** Of everything since the last time. */
    late: (): number => slowest(times.splice(0)),
    /** Of copying, in MB/s, over all that time. */
    rate: (): number => rates.reduce((sum, rate) => sum + rate, 0) / rates.length,
    second(rate: number): number {
      for (let request = 0; request < 12; request++) times.push(40 * scatter() * factor(rate));
      if (rate > 0) rates.push(rate / MiB);
      return slowest(times.slice(-48));
    },
  };
}

/**
 * A machine that copies so many MB/s at most, seen each second: users wait the longer the less of it is left to them, and
 * are told over four seconds. Returns what was copied in each second, in MB/s.
 */
function machine({ pace, heal }: ReturnType<typeof setting>) {
  const window: number[] = [];
  const feels = (rate: number, capacity: number): GatewayFelt[] => {
    window.push(15 / Math.max(0.1, 1 - rate / (capacity * MiB)));
    if (window.length > 4) window.shift();
    return [felt(Math.max(...window))];
  };
  return {
    quiet: () => Array.from({ length: 20 }, () => pace.observe(feels(0, 1))),
    seconds: (count: number, capacity: number): number[] =>
      Array.from({ length: count }, () => {
        let copied = 0;
        heal(1, (rate) => feels((copied = rate), capacity), capacity * MiB);
        return copied / MiB;
      }),
    hiccup: () => void window.push(200),
  };
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

describe("a machine of 500 MB/s, half of which users do not miss", () => {
  test("in the third second after the loss it copies at that speed, and there it stays", () => {
    const { quiet, seconds } = machine(setting());
    quiet();
    expect(seconds(3, 500).at(-1)).toBeGreaterThan(200);
    const settled = seconds(60, 500).slice(10);
    expect(Math.min(...settled)).toBeGreaterThan(120);
    expect(mean(settled)).toBeGreaterThan(170);
    expect(mean(settled)).toBeLessThan(260);
  });

  test("half of the machine is suddenly needed elsewhere: within two seconds it makes way, and takes it back when it is free", () => {
    const { quiet, seconds } = machine(setting());
    quiet();
    seconds(30, 500);
    const [before, , after] = seconds(3, 200);
    expect(after).toBeLessThan(before! * 0.6);
    expect(mean(seconds(30, 200).slice(10))).toBeLessThan(110);
    seconds(10, 500);
    expect(mean(seconds(10, 500))).toBeGreaterThan(150);
  });

  test("one hiccup that was not its doing costs seconds, not minutes", () => {
    const { quiet, seconds, hiccup } = machine(setting());
    quiet();
    const before = mean(seconds(40, 500).slice(20));
    hiccup();
    seconds(7, 500);
    expect(mean(seconds(3, 500))).toBeGreaterThan(before * 0.7);
  });
});

describe("for users' sake", () => {
  test("nobody is there: nothing limits it", () => {
    const { pace, heal } = setting();
    pace.observe([]);
    heal(10, () => []);
    expect(pace.limit()).toBeUndefined();
  });

  test("users are there: it begins modestly, and goes as fast as it can while they do not suffer", () => {
    const { pace, heal } = setting();
    for (let look = 0; look < 10; look++) pace.observe([felt(40)]);
    expect(pace.limit()).toBe(limits.healingBytesPerSecondStart);
    heal(20, () => [felt(50)], 400 * MiB);
    expect(pace.limit()).toBeGreaterThan(400 * MiB);
  });

  test("their writes take four times as long as in quiet: it is cut to half and less, and not again before that can be felt", () => {
    const { pace, heal, megabytes } = setting();
    for (let look = 0; look < 10; look++) pace.observe([felt(40)]);
    heal(3, () => [felt(40)]);
    const before = megabytes();
    heal(1, () => [felt(160)]);
    const cut = megabytes();
    expect(cut).toBeLessThan(before / 2);
    heal(3, () => [felt(160)]);
    expect(megabytes()).toBe(cut);
    heal(3, () => [felt(160)]);
    expect(megabytes()).toBeLessThan(cut / 2);
  });

  test.each([20, 100, 400])("where %i MB/s double what users wait, it finds that rate and stays near", (doubling) => {
    const { pace, heal } = setting();
    for (let look = 0; look < 10; look++) pace.observe([felt(40)]);
    const late: number[] = [];
    const rates: number[] = [];
    const window: number[] = []; // what users feel is measured over some seconds
    heal(300, (rate) => {
      window.push(40 * (1 + (rate / (doubling * MiB)) ** 2));
      if (window.length > 4) window.shift();
      late.push(Math.max(...window));
      rates.push(rate / MiB);
      return [felt(Math.max(...window))];
    });
    const settled = (values: readonly number[]): number => values.slice(60).reduce((sum, value) => sum + value, 0) / (values.length - 60);
    expect(settled(late)).toBeLessThan(80);
    expect(settled(rates)).toBeGreaterThan(doubling * 0.6);
  });

  test("however much they suffer, it never stands still", () => {
    const { pace, heal } = setting();
    for (let look = 0; look < 10; look++) pace.observe([felt(40)]);
    heal(12, () => [felt(60_000)]);
    expect(pace.limit()).toBe(limits.healingBytesPerSecondMin);
  });

  test.each([40, 100, 300])(
    "requests take now long, now short, and at %i MB/s twice as long: the slow ones take hardly more than twice as long",
    (doubling) => {
      const { pace, heal } = setting();
      const users = someUsers((rate) => 1 + (rate / (doubling * MiB)) ** 2);
      for (let look = 0; look < 60; look++) pace.observe([felt(users.second(0))]);
      const inQuiet = users.late();
      heal(300, (rate) => [felt(users.second(rate))]);
      expect(users.late() / inQuiet).toBeLessThan(2.3);
      expect(users.rate()).toBeGreaterThan(doubling * 0.4);
    },
  );

  test("requests take now long, now short, whatever is copied: that slows nothing down for good", () => {
    const { pace, heal } = setting();
    const users = someUsers(() => 1);
    for (let look = 0; look < 60; look++) pace.observe([felt(users.second(0))]);
    heal(300, (rate) => [felt(users.second(rate))], 400 * MiB);
    expect(users.rate()).toBeGreaterThan(200);
  });

  test("everything becomes five times slower, and not by healing: once it has tried going slowly, it goes on", () => {
    const { pace, heal } = setting();
    for (let look = 0; look < 10; look++) pace.observe([felt(40)]);
    heal(20, () => [felt(40)], 400 * MiB);
    heal(12, () => [felt(200)], 400 * MiB);
    expect(pace.limit()).toBeLessThan(limits.healingBytesPerSecondStart);
    heal(60, () => [felt(200)], 400 * MiB);
    expect(pace.limit()).toBeGreaterThan(100 * MiB);
  });

  test("one gateway of two suffers: that counts; when it says nothing any more, the other does", () => {
    const { pace, heal, megabytes } = setting();
    for (let look = 0; look < 10; look++) pace.observe([felt(40, "a"), felt(40, "b")]);
    heal(2, () => [felt(40, "a"), felt(40, "b")]);
    heal(12, () => [felt(40, "a"), felt(400, "b")]);
    const suffering = megabytes();
    expect(suffering).toBeLessThan(limits.healingBytesPerSecondStart / MiB);
    heal(30, () => [felt(40, "a")]);
    expect(megabytes()).toBeGreaterThan(4 * suffering);
  });

  test("what is quick all the same is no suffering: two milliseconds became nine", () => {
    const { pace, heal } = setting();
    for (let look = 0; look < 10; look++) pace.observe([felt(2)]);
    heal(20, () => [felt(9)], 400 * MiB);
    expect(pace.limit()).toBeGreaterThan(400 * MiB);
  });
});

test("an operator's limit is kept from one copy to the next, and a new one applies to those that wait", async () => {
  const clock = createManualClock();
  const pace = createPace(clock);
  pace.order({ bytesPerSecondMax: 1 * MiB, paused: false });
  await pace.pass(4 * MiB, { urgent: false, signal });
  let passed = false;
  const second = pace.pass(4 * MiB, { urgent: false, signal }).then(() => (passed = true));
  clock.advance(3_900);
  await new Promise((resolve) => setTimeout(resolve, 50)); // a few looks
  expect(passed).toBe(false);
  pace.order({ bytesPerSecondMax: 100 * MiB, paused: false });
  clock.advance(2);
  await second;
});

test("those that wait go in the order in which they came", async () => {
  const clock = createManualClock();
  const pace = createPace(clock);
  pace.order({ bytesPerSecondMax: 1 * MiB, paused: false });
  const gone: number[] = [];
  const passing = [1, 2, 3].map((number) => pace.pass(1 * MiB, { urgent: false, signal }).then(() => gone.push(number)));
  for (const _ of passing) {
    await new Promise((resolve) => setTimeout(resolve, 30));
    clock.advance(1_000);
  }
  await Promise.all(passing);
  expect(gone).toEqual([1, 2, 3]);
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
