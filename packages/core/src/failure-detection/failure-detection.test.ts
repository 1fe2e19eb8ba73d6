import { createTestDatabase, type TestDatabase } from "@holdfast/db/testing";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { listEvents } from "../events/index.ts";
import type { Clock } from "../kernel/index.ts";
import { createFailureDetector, detectionLimits, type FailureDetector } from "./index.ts";

const SECOND = 1_000;
const limits = detectionLimits(5 * SECOND, 15 * SECOND);

let database: TestDatabase;
let nowMs: number;
let clock: Clock;
let detector: FailureDetector;

beforeAll(async () => (database = await createTestDatabase()));
afterAll(() => database.drop());

beforeEach(async () => {
  await database.pool.query("TRUNCATE node, event RESTART IDENTITY CASCADE");
  await database.pool.query(
    `INSERT INTO node (identity, name, host, port, boot_id, health)
     SELECT gen_random_uuid(), 'node-' || number, '127.0.0.1', 7100 + number, gen_random_uuid(), 'up' FROM generate_series(1, 3) number`,
  );
  nowMs = 1_000_000 * SECOND; // a machine that has been up for long
  clock = { monotonicMs: () => nowMs, now: () => new Date(0) };
  detector = createFailureDetector(database.pool, limits, clock);
});

/** Lets time pass as the worker does, looking every second. `beating` nodes are heard every five seconds. */
async function pass(seconds: number, beating: number[] = []): Promise<string[]> {
  const changes: string[] = [];
  for (let second = 0; second < seconds; second += 1) {
    if (second % 5 === 0) for (const id of beating) detector.heard(id);
    nowMs += SECOND;
    for (const { nodeId, to } of await detector.step()) changes.push(`${second + 1} s: ${nodeId} ${to}`);
  }
  return changes;
}

const healths = async (): Promise<string[]> => {
  const { rows } = await database.pool.query<{ health: string }>("SELECT health FROM node ORDER BY id");
  return rows.map((row) => row.health);
};

test("a node that stops is suspect after two missed heartbeats, down after 15 s, and up with its next heartbeat", async () => {
  expect(await pass(10, [1, 2, 3])).toEqual([]);
  expect(await pass(30, [1, 3])).toEqual(["6 s: 2 suspect", "10 s: 2 down"]);
  expect(await pass(10, [1, 2, 3])).toEqual(["1 s: 2 up"]);
  expect(await healths()).toEqual(["up", "up", "up"]);
});

test("each change leaves its reason on the node and one sentence in the log", async () => {
  await pass(5, [1, 2, 3]);
  await pass(20, [1, 3]);
  const { rows } = await database.pool.query(
    "SELECT health_reason, health_changed_at > now() - interval '1 min' AS recent FROM node WHERE id = 2",
  );
  expect(rows).toEqual([{ health_reason: "no heartbeat for 15 s", recent: true }]);
  const { items } = await listEvents(database.pool, { limit: 10 });
  expect(items.map(({ severity, kind, message, nodeId }) => ({ severity, kind, message, nodeId }))).toEqual([
    { severity: "error", kind: "node.down", message: "node-2 is down: no heartbeat for 15 s.", nodeId: 2 },
    { severity: "warning", kind: "node.suspect", message: "node-2 is suspect: no heartbeat for 11 s.", nodeId: 2 },
  ]);
});

test("one lost heartbeat is nothing", async () => {
  expect(await pass(5, [1, 2, 3])).toEqual([]);
  expect(await pass(5, [1, 3])).toEqual([]);
  expect(await pass(5, [1, 2, 3])).toEqual([]);
});

test("the controller restarts: nobody is down before the full time has passed since its start", async () => {
  const changes = await pass(20, [1]);
  expect(changes).toEqual(["11 s: 2 suspect", "11 s: 3 suspect", "15 s: 2 down", "15 s: 3 down"]);
});

test("the controller restarts while a node is down: silence does not make it better", async () => {
  await database.pool.query("UPDATE node SET health = 'down' WHERE id = 2");
  expect(await pass(10, [1, 3])).toEqual([]);
  expect(await pass(5, [1, 2, 3])).toEqual(["1 s: 2 up"]);
});

test("the controller is stopped for ten minutes and goes on: no node is blamed for what nobody could hear", async () => {
  await pass(10, [1, 2, 3]);
  nowMs += 600 * SECOND;
  expect(await detector.step()).toEqual([]);
  expect(await pass(10, [1, 2, 3])).toEqual([]);
});

test("the database is away for a minute, and no heartbeat can be recorded: no node is blamed for it", async () => {
  await pass(10, [1, 2, 3]);
  await database.pool.query("ALTER TABLE node RENAME TO node_away");
  for (let second = 0; second < 60; second += 1) {
    nowMs += SECOND;
    await expect(detector.step()).rejects.toThrow("node");
  }
  await database.pool.query("ALTER TABLE node_away RENAME TO node");
  nowMs += SECOND;
  expect(await detector.step()).toEqual([]);
  expect(await pass(10, [1, 2, 3])).toEqual([]);
});

test("a node that flickers is up, then suspect, then up: each change is recorded once", async () => {
  await pass(5, [1, 2, 3]);
  expect(await pass(7, [1, 3])).toEqual(["6 s: 2 suspect"]);
  expect(await pass(5, [1, 2, 3])).toEqual(["1 s: 2 up"]);
  expect((await listEvents(database.pool, { nodeId: 2, limit: 10 })).items).toHaveLength(2);
});

test("two detectors that decide the same change record it once", async () => {
  const other = createFailureDetector(database.pool, limits, clock);
  for (let second = 0; second < 20; second += 1) {
    nowMs += SECOND;
    await Promise.all([detector.step(), other.step()]);
  }
  expect(await healths()).toEqual(["down", "down", "down"]);
  expect((await listEvents(database.pool, { nodeId: 1, limit: 10 })).items).toHaveLength(2);
});

test("a removed node is no longer watched", async () => {
  await database.pool.query("UPDATE node SET intent = 'removed' WHERE id = 3");
  expect(await pass(20, [1, 2])).toEqual([]);
});

test("times that would call a node down before it missed two heartbeats are refused", () => {
  expect(() => detectionLimits(5 * SECOND, 9 * SECOND)).toThrow("two heartbeats");
});
