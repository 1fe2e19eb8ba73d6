import { expect, test } from "vitest";
import { limits } from "../kernel/index.ts";
import { createManualClock, createTestNodes } from "../testing/index.ts";
import { createNodeStandings } from "./index.ts";

function setting() {
  const clock = createManualClock();
  const { all, membership } = createTestNodes(3);
  const standings = createNodeStandings({ membership, clock });
  const node = all[0]!;
  return {
    clock,
    standings,
    /** What the controller thinks of node-1. */
    judge: (health: typeof node.snapshot.health) => (node.snapshot = { ...node.snapshot, health }),
    isAvoided: () => [standings.isAvoided(1, "reading"), standings.isAvoided(1, "writing")],
    read: (tookMs: number, id = 1): void => {
      const attempt = standings.beginRead(id);
      clock.advance(tookMs);
      attempt.succeeded();
    },
    overtake: (afterMs = 100): void => {
      const attempt = standings.beginRead(1);
      clock.advance(afterMs);
      attempt.overtaken();
    },
    /** Knocks in vain whenever it may, for so long; returns after how many seconds each. */
    knocksWithin: (seconds: number): number[] => {
      const knocks: number[] = [];
      for (let tenth = 1; tenth <= seconds * 10; tenth++) {
        clock.advance(100);
        if (standings.isAvoided(1, "writing")) continue;
        standings.beginWrite(1).failed();
        knocks.push(tenth / 10);
      }
      return knocks;
    },
  };
}

test("one failed write: readers and writers avoid the node; after a second a single request knocks, and its success is for both", () => {
  const { clock, standings, isAvoided } = setting();
  expect(standings.beginWrite(1).failed()).toBe(true);
  expect(isAvoided()).toEqual([true, true]);
  clock.advance(limits.nodeAvoidMinMs);
  expect(isAvoided()).toEqual([false, false]);
  const knock = standings.beginRead(1);
  expect(isAvoided()).toEqual([true, true]); // the others wait for its outcome
  expect(knock.succeeded()).toBe(true);
  expect(isAvoided()).toEqual([false, false]);
});

test("one read that broke off: writers avoid the node as well", () => {
  const { standings, isAvoided } = setting();
  expect(standings.beginRead(1).failed()).toBe(true);
  expect(isAvoided()).toEqual([true, true]);
});

test("ten requests fail of one mishap: it counts once", () => {
  const { clock, standings, isAvoided } = setting();
  const attempts = Array.from({ length: 10 }, () => standings.beginWrite(1));
  expect(attempts.map((attempt) => attempt.failed()).filter(Boolean)).toHaveLength(1);
  clock.advance(limits.nodeAvoidMinMs);
  expect(isAvoided()).toEqual([false, false]);
});

test("a dead node is knocked at less and less, up to every half minute", () => {
  const { standings, judge, knocksWithin } = setting();
  standings.beginWrite(1).failed();
  judge("down");
  expect(knocksWithin(125)).toEqual([1, 3, 7, 15, 31, 61, 91, 121]);
});

test("a node that the controller still hears is knocked at every two seconds, however long it fails", () => {
  const { standings, knocksWithin } = setting();
  standings.beginWrite(1).failed();
  expect(knocksWithin(10)).toEqual([1, 3, 5, 7, 9]);
});

test("a node returns after five minutes: it is asked again within a moment of the controller's hearing it", () => {
  const { standings, judge, knocksWithin, isAvoided } = setting();
  standings.beginWrite(1).failed();
  judge("down");
  knocksWithin(300);
  expect(isAvoided()).toEqual([true, true]);
  judge("up");
  expect(knocksWithin(limits.nodeAvoidHeardMaxMs / 1_000)).toHaveLength(1);
});

test("a knock whose caller left decides nothing: the next one knocks after the same time", () => {
  const { clock, standings, isAvoided } = setting();
  standings.beginWrite(1).failed();
  clock.advance(limits.nodeAvoidMinMs);
  standings.beginRead(1).abandoned();
  expect(isAvoided()).toEqual([true, true]);
  clock.advance(limits.nodeAvoidMinMs);
  expect(isAvoided()).toEqual([false, false]);
});

test("three reads in a row overtaken: readers spare the node; writers go on, for they cannot do without a copy so lightly", () => {
  const { standings, overtake, isAvoided } = setting();
  overtake();
  overtake();
  expect(isAvoided()).toEqual([false, false]);
  overtake();
  expect(isAvoided()).toEqual([true, false]);
  standings.beginWrite(1).failed();
  expect(isAvoided()).toEqual([true, true]);
});

test("a read that comes through forgives those that were overtaken", () => {
  const { overtake, read, isAvoided } = setting();
  overtake();
  overtake();
  read(10);
  overtake();
  expect(isAvoided()).toEqual([false, false]);
});

test("a knock that is overtaken has failed", () => {
  const { clock, standings, overtake, isAvoided } = setting();
  standings.beginWrite(1).failed();
  clock.advance(limits.nodeAvoidMinMs);
  overtake();
  clock.advance(limits.nodeAvoidMinMs);
  expect(isAvoided()).toEqual([true, true]);
});

test("the copy that is expected first is asked first: what it usually takes, times what is under way there", () => {
  const { standings, read } = setting();
  for (let count = 0; count < 10; count++) {
    read(10, 1);
    read(15, 2);
  }
  expect(standings.expectedReadMs(1)).toBeLessThan(standings.expectedReadMs(2));
  standings.beginRead(1);
  expect(standings.expectedReadMs(1)).toBeGreaterThan(standings.expectedReadMs(2));
  expect(standings.expectedReadMs(3)).toBe(0); // never asked: it gets its chance
});

test("a hedge waits until the read is later than nearly all of that node's: not long for a steady node, longer for a fickle one", () => {
  const { standings, read } = setting();
  expect(standings.hedgeAfterMs(1)).toBe(limits.readHedgeUnknownMs);
  for (let count = 0; count < 30; count++) {
    read(10, 1);
    read(count % 2 === 0 ? 50 : 250, 2);
  }
  expect(standings.hedgeAfterMs(1)).toBe(limits.readHedgeMinMs);
  expect(standings.hedgeAfterMs(2)).toBeGreaterThan(250);
  expect(standings.hedgeAfterMs(2)).toBeLessThan(1_000);
  expect(standings.hedgeAfterMs(3)).toBe(standings.hedgeAfterMs(2)); // not known: as patient as with the slowest
});

test("second requests are at most one in twenty, beyond the reserve", () => {
  const { standings } = setting();
  const take = (): number => {
    let taken = 0;
    while (standings.takeHedge()) taken++;
    return taken;
  };
  expect(take()).toBe(limits.readHedgesSavedMax);
  for (let count = 0; count < 100; count++) standings.countRead();
  expect([4, 5]).toContain(take());
});

test("what is half a minute old is forgotten", () => {
  const { clock, standings, read } = setting();
  read(1_900);
  clock.advance(30_000);
  expect(standings.expectedReadMs(1)).toBe(0);
  expect(standings.hedgeAfterMs(1)).toBe(limits.readHedgeUnknownMs);
});

test("what users feel: how long nearly all requests take, whichever the node; those that fail or are given up count for nothing", () => {
  const { clock, standings, read, overtake } = setting();
  const write = (tookMs: number, id: number): void => {
    const attempt = standings.beginWrite(id);
    clock.advance(tookMs);
    attempt.succeeded();
  };
  for (let request = 0; request < 20; request++) read(5, 1 + (request % 3));
  for (let request = 0; request < 20; request++) write(request % 8 === 7 ? 90 : 8, 1 + (request % 3));
  expect(standings.felt()).toEqual({ readMs: 5, writeMs: 90 });
  const failing = [standings.beginRead(2), standings.beginWrite(3)];
  clock.advance(900);
  for (const attempt of failing) attempt.failed();
  overtake(900);
  expect(standings.felt()).toEqual({ readMs: 5, writeMs: 90 });
});
