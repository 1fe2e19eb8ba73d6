import { inTransaction } from "@holdfast/db";
import { createTestDatabase, type TestDatabase } from "@holdfast/db/testing";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { listEvents } from "../events/index.ts";
import type { Clock } from "../kernel/index.ts";
import { setIntent } from "../membership/index.ts";
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
  detector = newDetector();
});

const newDetector = () => createFailureDetector(database.pool, (work) => inTransaction(database.pool, work), limits, clock);

/** Lets time pass as the worker does, looking every second. `beating` nodes are heard every five seconds, `writing` as slowly as it says. */
async function pass(seconds: number, beating: number[] = [], writing: Record<number, number> = {}): Promise<string[]> {
  const changes: string[] = [];
  for (let second = 0; second < seconds; second += 1) {
    if (second % 5 === 0) for (const id of beating) detector.heard(id, writing[id] ?? 0);
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
  expect(changes).toEqual(["11 s: 2 suspect", "11 s: 3 suspect", "15 s: 2 down", "15 s: 3 suspect"]); // 3 is spared: two of three must remain
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
  const other = newDetector();
  for (let second = 0; second < 20; second += 1) {
    nowMs += SECOND;
    await Promise.all([detector.step(), other.step()]);
  }
  expect(await healths()).toEqual(["down", "suspect", "suspect"]);
  expect((await listEvents(database.pool, { nodeId: 1, limit: 10 })).items).toHaveLength(2);
});

test("a removed node is no longer watched", async () => {
  await database.pool.query("UPDATE node SET intent = 'removed' WHERE id = 3");
  expect(await pass(20, [1, 2])).toEqual([]);
});

test("times that would call a node down before it missed two heartbeats are refused", () => {
  expect(() => detectionLimits(5 * SECOND, 9 * SECOND)).toThrow("two heartbeats");
});

test("two of three fall silent: one is down, the other stays suspect with the reason, told once; it is down when the first is back", async () => {
  await pass(5, [1, 2, 3]);
  expect(await pass(60, [1])).toEqual(["6 s: 2 suspect", "6 s: 3 suspect", "10 s: 2 down", "10 s: 3 suspect"]);
  const { items } = await listEvents(database.pool, { nodeId: 3, limit: 1 });
  expect(items[0]).toMatchObject({
    severity: "error",
    message: "node-3 is suspect: too many nodes are silent at once, which is most likely our own network.",
  });
  expect(await pass(2, [1, 2])).toEqual(["1 s: 2 up", "1 s: 3 down"]);
});

test("in maintenance silence is no alarm: the node is suspect and never down, and that is information", async () => {
  await pass(5, [1, 2, 3]);
  await setIntent(database.pool, 2, "maintenance");
  expect(await pass(60, [1, 3])).toEqual(["6 s: 2 suspect"]);
  const { items } = await listEvents(database.pool, { nodeId: 2, limit: 1 });
  expect(items[0]).toMatchObject({ severity: "info", message: "node-2 is suspect: it is silent, as its maintenance allows." });
});

test("one of three is away for maintenance and another falls silent: that one is not called down, for too few would remain", async () => {
  await pass(5, [1, 2, 3]);
  await setIntent(database.pool, 2, "maintenance");
  await pass(30, [1, 3]);
  expect(await pass(30, [1])).toEqual(["6 s: 3 suspect", "10 s: 3 suspect"]);
});

test("maintenance of a node that is down already: it is not down any more, so nobody copies what it holds", async () => {
  await pass(5, [1, 2, 3]);
  await pass(30, [1, 3]);
  await setIntent(database.pool, 2, "maintenance");
  expect(await pass(5, [1, 3])).toEqual(["1 s: 2 suspect"]);
});

test("the maintenance's time is over: it ends by itself, with an event, and silence counts again", async () => {
  await pass(5, [1, 2, 3]);
  await setIntent(database.pool, 2, "maintenance", { until: new Date(Date.now() + 3_600_000) });
  await pass(30, [1, 3]);
  await database.pool.query("UPDATE node SET maintenance_until = now() - interval '1 ms' WHERE id = 2");
  expect(await pass(2, [1, 3])).toEqual(["1 s: 2 down"]);
  const { items } = await listEvents(database.pool, { nodeId: 2, limit: 2 });
  expect(items.map(({ message }) => message)).toEqual([
    "node-2 is down: no heartbeat for 36 s.",
    "node-2 is in service. The time set for its maintenance is over.",
  ]);
  expect((await database.pool.query("SELECT intent, maintenance_until FROM node WHERE id = 2")).rows).toEqual([
    { intent: "active", maintenance_until: null },
  ]);
});

test("a node that writes far slower than the others is slow after three heartbeats, and up again when it is not", async () => {
  const usual = { 1: 12, 2: 15, 3: 12 };
  expect(await pass(20, [1, 2, 3], usual)).toEqual([]);
  expect(await pass(20, [1, 2, 3], { ...usual, 2: 900 })).toEqual(["11 s: 2 slow"]);
  const { items } = await listEvents(database.pool, { nodeId: 2, limit: 1 });
  expect(items[0]!.message).toBe("node-2 is slow: a durable write takes 900 ms there, and 12 ms on the other nodes.");
  expect(await pass(20, [1, 2, 3], usual)).toEqual(["11 s: 2 up"]);
});

test("a node that becomes slow again and again is trusted later each time", async () => {
  const slow = { 1: 12, 2: 900, 3: 12 };
  await pass(20, [1, 2, 3], slow);
  const waits: number[] = [];
  for (let relapse = 0; relapse < 3; relapse++) {
    const [recovery] = await pass(120, [1, 2, 3], { 1: 12, 3: 12 }); // nobody writes to it, so it says nothing
    waits.push(Number.parseInt(recovery!, 10));
    await pass(20, [1, 2, 3], slow);
  }
  expect(waits).toEqual([11, 26, 56]);
});

test("every node is slow: that is the load, and none is blamed", async () => {
  expect(await pass(60, [1, 2, 3], { 1: 3_000, 2: 2_500, 3: 4_000 })).toEqual([]);
});

test("a node that was quick enough for anybody is not slow, however quick the others are", async () => {
  expect(await pass(60, [1, 2, 3], { 1: 1, 2: 150, 3: 1 })).toEqual([]);
});

test("a node that keeps dying is not up before it has answered steadily, longer each time; meanwhile it says why", async () => {
  await pass(5, [1, 2, 3]);
  const returns: string[][] = [];
  for (let death = 1; death <= 5; death++) {
    await pass(20, [1, 3]);
    returns.push(await pass(60, [1, 2, 3]));
  }
  expect(returns).toEqual([
    ["1 s: 2 up"],
    ["1 s: 2 up"],
    ["1 s: 2 up"],
    ["1 s: 2 suspect", "21 s: 2 up"],
    ["1 s: 2 suspect", "41 s: 2 up"],
  ]);
  const { items } = await listEvents(database.pool, { nodeId: 2, limit: 2 });
  expect(items[1]!.message).toBe("node-2 is suspect: it went down 5 times within a short while, and must answer steadily for 40 s first.");
});

test("deaths of long ago are forgiven", async () => {
  await pass(5, [1, 2, 3]);
  for (let death = 1; death <= 4; death++) {
    await pass(20, [1, 3]);
    await pass(60, [1, 2, 3]);
  }
  await pass(600, [1, 2, 3]);
  await pass(20, [1, 3]);
  expect(await pass(10, [1, 2, 3])).toEqual(["1 s: 2 up"]);
});
