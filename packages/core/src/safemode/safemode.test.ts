import { createTestDatabase, type TestDatabase } from "@holdfast/db/testing";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { MINUTE_MS } from "../kernel/index.ts";
import { createManualClock, createStoredCluster, type ManualClock, type StoredCluster } from "../testing/index.ts";
import { createSafemode, type Safemode } from "./index.ts";
import { whyStillSafe } from "./plan.ts";

const HEARTBEAT_MS = 1_000;

let database: TestDatabase;
let cluster: StoredCluster;
let clock: ManualClock;
let heard: Set<number>;
let safemode: Safemode;
beforeAll(async () => (database = await createTestDatabase()));
afterAll(() => database.drop());
beforeEach(async () => {
  cluster = await createStoredCluster(database);
  clock = createManualClock();
  heard = new Set();
  safemode = createSafemode({ pool: database.pool, hasHeard: (id) => heard.has(id), heartbeatIntervalMs: HEARTBEAT_MS, clock });
});
afterEach(() => cluster.stop());

const events = async (): Promise<string[]> =>
  (await database.pool.query<{ kind: string }>("SELECT kind FROM event WHERE kind LIKE 'safemode.%' ORDER BY id")).rows.map(
    ({ kind }) => kind,
  );

test("an empty cluster leaves it at once", async () => {
  expect(safemode.isOn()).toBe(true);
  await safemode.step();
  expect(safemode.status()).toMatchObject({ isOn: false, why: "" });
});

test("nodes come back one by one: it ends when every chunk has a copy on one of them, and no further one appears for a while", async () => {
  await cluster.keep({ replicas: [1, 2] });
  await cluster.keep({ replicas: [2, 3] });
  await safemode.step();
  expect(safemode.why()).toContain("2 of 2 chunks have no copy on a node that was heard: node-1, node-2, node-3 are still silent");
  heard.add(1);
  clock.advance(10 * HEARTBEAT_MS);
  await safemode.step();
  expect(safemode.why()).toContain("1 of 2 chunks");
  heard.add(3);
  await safemode.step();
  expect(safemode.why()).toContain("still reporting");
  clock.advance(2 * HEARTBEAT_MS);
  heard.add(2);
  await safemode.step();
  clock.advance(2 * HEARTBEAT_MS);
  await safemode.step();
  expect(safemode.isOn()).toBe(true);
  clock.advance(HEARTBEAT_MS);
  await safemode.step();
  expect([safemode.isOn(), await events()]).toEqual([false, []]);
});

test("once ended it stays ended, whoever dies then; a new leader begins anew", async () => {
  await safemode.step();
  await cluster.keep();
  await safemode.step();
  expect(safemode.isOn()).toBe(false);
  safemode.enter();
  await safemode.step();
  expect(safemode.isOn()).toBe(true);
});

test("nodes that never come back: it lasts and tells an operator once, who may end it", async () => {
  await cluster.keep();
  await safemode.step();
  clock.advance(MINUTE_MS);
  await safemode.step();
  await safemode.step();
  expect(await events()).toEqual(["safemode.on"]);
  await safemode.leave({ userId: "operator" });
  expect([safemode.isOn(), await events()]).toEqual([false, ["safemode.on", "safemode.left"]]);
});

test("an operator ends it while the rows are being counted: the count does not bring it back", async () => {
  await cluster.keep();
  await safemode.step();
  const tx = await database.pool.connect();
  await tx.query("BEGIN");
  await tx.query("LOCK TABLE chunk"); // there is no counting before this ends
  const counting = safemode.step();
  await safemode.leave({ userId: "operator" });
  await tx.query("ROLLBACK");
  tx.release();
  await counting;
  expect(safemode.isOn()).toBe(false);
});

test("a new reign begins while the rows are being counted: what was counted for the one before does not end it", async () => {
  const counting = safemode.step(); // of no chunks, which would end it
  safemode.enter();
  await counting;
  expect(safemode.isOn()).toBe(true);
});

test("the database does not answer: it stays on", async () => {
  const broken = createSafemode({
    pool: { connect: () => Promise.reject(new Error("away")), query: () => Promise.reject(new Error("away")) } as never,
    hasHeard: () => true,
  });
  await expect(broken.step()).rejects.toThrow("away");
  expect(broken.isOn()).toBe(true);
});

test.each([
  ["a thousandth missing is enough", 99_900, false],
  ["a little more is not", 99_899, true],
])("%s", (_what, chunksHeard, isOn) => {
  const facts = { chunks: 100_000, chunksHeard, nodes: [{ name: "node-1", isHeard: true }], stableMs: 10 };
  expect(whyStillSafe(facts, { heardShare: 0.999, stableMs: 10 }) !== undefined).toBe(isOn);
});
