import { expect, test } from "vitest";
import { createManualClock } from "../testing/index.ts";
import { createRecentTime } from "./recent-time.ts";

/** A database that counts what it is asked, and does not answer while it is away. */
function setting() {
  const database = { asked: 0, isAway: false };
  const pool = {
    async query() {
      database.asked++;
      if (database.isAway) throw new Error("away");
      return { rows: [{ now: new Date(database.asked) }] };
    },
  };
  const clock = createManualClock();
  return { database, clock, recentTime: createRecentTime(pool as never, clock) };
}

test("many want to know the time at one moment: one question for all, and another one only when the answer is old", async () => {
  const { database, clock, recentTime } = setting();
  await Promise.all(Array.from({ length: 50 }, recentTime));
  clock.advance(900);
  await recentTime();
  expect(database.asked).toBe(1);
  clock.advance(200);
  expect(await recentTime()).toEqual(new Date(2));
});

test("the database was away: the next one asks again, and is not told of the failure", async () => {
  const { database, recentTime } = setting();
  database.isAway = true;
  await expect(recentTime()).rejects.toThrow("away");
  database.isAway = false;
  expect(await recentTime()).toEqual(new Date(2));
});
