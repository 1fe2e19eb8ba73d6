import { createTestDatabase, type TestDatabase } from "@holdfast/db/testing";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { limits } from "../kernel/index.ts";
import { createManualClock } from "../testing/index.ts";
import { createRecentLatency, readFelt, reportFelt } from "./index.ts";

let database: TestDatabase;
beforeAll(async () => (database = await createTestDatabase()));
afterAll(() => database.drop());
beforeEach(async () => void (await database.pool.query("TRUNCATE gateway")));

const never = (error: unknown): never => {
  throw error;
};

test("five requests of a hundred are slow: that is not what nearly all take; six are", () => {
  const latency = createRecentLatency(createManualClock());
  for (let request = 0; request < 95; request++) latency.add(10);
  for (let request = 0; request < 5; request++) latency.add(500);
  expect(latency.lateMs()).toBe(10);
  latency.add(500);
  expect(latency.lateMs()).toBe(500);
});

test("what is long ago says nothing any more, and neither do a few requests", () => {
  const clock = createManualClock();
  const latency = createRecentLatency(clock);
  for (let request = 0; request < 9; request++) latency.add(10);
  expect(latency.lateMs()).toBe(0);
  latency.add(10);
  expect(latency.lateMs()).toBe(10);
  clock.advance(5_000);
  expect(latency.lateMs()).toBe(0);
});

test("a gateway serves very many requests: the latest speak for all, in bounded memory", () => {
  const latency = createRecentLatency(createManualClock());
  for (let request = 0; request < 100_000; request++) latency.add(request < 90_000 ? 900 : 10);
  expect(latency.lateMs()).toBe(10);
});

test("two gateways tell what their users feel; one that falls silent no longer counts", async () => {
  const { pool } = database;
  let writeMs = 40;
  const one = reportFelt({ pool, felt: () => ({ readMs: 0, writeMs }), intervalMs: 5, onError: never });
  const other = reportFelt({ pool, felt: () => ({ readMs: 7, writeMs: 9 }), intervalMs: 5, onError: never });
  await Promise.all([one.start(), other.start()]);
  writeMs = 80;
  await vi.waitFor(async () => expect((await readFelt(pool)).map((felt) => felt.writeMs).toSorted((a, b) => a - b)).toEqual([9, 80]));
  await Promise.all([one.stop(), other.stop()]);
  await pool.query("UPDATE gateway SET seen_at = seen_at - $1::bigint * interval '1 millisecond' WHERE write_ms = 80", [
    limits.feltFreshMs,
  ]);
  expect(await readFelt(pool)).toMatchObject([{ readMs: 7, writeMs: 9 }]);
});

test("a gateway without users writes nothing", async () => {
  const report = reportFelt({ pool: database.pool, felt: () => ({ readMs: 0, writeMs: 0 }), intervalMs: 5, onError: never });
  await report.start();
  await report.stop();
  expect(await readFelt(database.pool)).toEqual([]);
});
