import { openDatabase } from "@holdfast/db";
import { createTestDatabase, type TestDatabase } from "@holdfast/db/testing";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Clock } from "../kernel/index.ts";
import { createClusterState } from "./index.ts";

let database: TestDatabase;
let nowMs: number;
const clock: Clock = { monotonicMs: () => nowMs, now: () => new Date(nowMs) };

beforeAll(async () => (database = await createTestDatabase()));
afterAll(() => database.drop());

beforeEach(async () => {
  nowMs = 0;
  await database.pool.query("TRUNCATE node, chunk RESTART IDENTITY CASCADE");
  await database.pool.query(
    `INSERT INTO node (identity, name, host, port, boot_id, health)
     SELECT gen_random_uuid(), 'node-' || number, '127.0.0.1', 7100 + number, gen_random_uuid(), 'up' FROM generate_series(1, 3) number`,
  );
  await addChunks(100, [1, 2, 3]);
});

async function addChunks(count: number, replicas: number[], state = "live"): Promise<void> {
  await database.pool.query(
    `INSERT INTO chunk (id, length, replicas, state, created_at)
     SELECT sha256(gen_random_uuid()::text::bytea), 1, $2, $3::chunk_state, now() - interval '1 h' FROM generate_series(1, $1)`,
    [count, replicas, state],
  );
}

const clusterState = () => createClusterState({ pool: database.pool, hasHeard: () => true, clock });

test("the report holds every node and every live chunk; a condemned chunk is nobody's loss", async () => {
  await addChunks(3, [1], "condemned");
  const report = await clusterState().read();
  expect(report).toMatchObject({
    state: "ok",
    replicas: 3,
    chunks: { total: 100, byCopies: { "0": 0, "1": 0, "2": 0, "3": 100 } },
    repairs: [],
    rebalances: [],
  });
  expect(report.nodes.map((node) => node.name)).toEqual(["node-1", "node-2", "node-3"]);
});

test("a node that dies shows within a second, though chunks are counted less often", async () => {
  const state = clusterState();
  await state.read();
  await database.pool.query("UPDATE node SET health = 'down' WHERE id = 2");
  await addChunks(1, [1, 2, 3]);
  expect((await state.read()).state).toBe("ok"); // of the same second
  nowMs += 1_000;
  expect(await state.read()).toMatchObject({ state: "at-risk", chunks: { total: 100, byCopies: { "2": 100 } } });
  nowMs += 1_000;
  expect(await state.read()).toMatchObject({ chunks: { total: 101 } });
});

test("nodes come by name, numbers in their order; a disk that three of them share is counted once, and a dead one not at all", async () => {
  await database.pool.query(
    `UPDATE node SET name = 'node-' || (12 - id), device = 'cellar:1', capacity_bytes = 1000, free_bytes = 500 + id;
     INSERT INTO node (identity, name, host, port, boot_id, health, device, capacity_bytes, free_bytes)
     SELECT gen_random_uuid(), name, '127.0.0.1', 7200, gen_random_uuid(), health, device, 2000, 700
       FROM (VALUES ('node-2', 'up'::node_health, 'attic:1'), ('node-3', 'up', ''), ('node-1', 'up', ''), ('node-4', 'down', 'barn:1')) _ (name, health, device)`,
  );
  const { nodes, capacity } = await clusterState().read();
  expect(nodes.map(({ name }) => name)).toEqual(["node-1", "node-2", "node-3", "node-4", "node-9", "node-10", "node-11"]);
  expect(capacity).toEqual({ totalBytes: 7_000, freeBytes: 2_601, devices: 4 });
});

test("two of three are silent for long and one of them may not be called down: neither counts as within reach", async () => {
  await database.pool.query(
    `UPDATE node SET health = (CASE id WHEN 2 THEN 'down' WHEN 3 THEN 'suspect' ELSE 'up' END)::node_health,
            last_seen_at = now() - (CASE id WHEN 1 THEN 1 ELSE 20 END) * interval '1 s'`,
  );
  expect(await clusterState().read()).toMatchObject({ state: "degraded", chunks: { byCopies: { "1": 100 } } });
});

test("while another controller leads, its record counts, if it is fresh", async () => {
  const standby = () => createClusterState({ pool: database.pool, hasHeard: () => undefined, clock });
  await database.pool.query("UPDATE node SET last_seen_at = now()");
  expect((await standby().read()).state).toBe("ok");
  await database.pool.query("UPDATE node SET last_seen_at = now() - interval '1 min' WHERE id = 2");
  expect((await standby().read()).state).toBe("unknown");
});

test("a hundred viewers of one second cost one reading", async () => {
  const state = clusterState();
  const reports = await Promise.all(Array.from({ length: 100 }, () => state.read()));
  expect(new Set(reports).size).toBe(1);
});

test("the database is away: the state is unknown, and the last figures stand with their age", async () => {
  const own = openDatabase(database.url, { onError: () => undefined });
  const state = createClusterState({ pool: own.pool, hasHeard: () => true, clock });
  expect((await state.read()).state).toBe("ok");
  nowMs += 1_000;
  await own.close();
  const gone = openDatabase("postgresql://holdfast@127.0.0.1:1/holdfast", { onError: () => undefined });
  own.pool.query = gone.pool.query.bind(gone.pool);
  expect(await state.read()).toMatchObject({ state: "unknown", asOf: new Date(0), chunks: { total: 100 } });
  await gone.close();
});

test("the database was never there: the state is unknown, and there are no figures at all", async () => {
  const gone = openDatabase("postgresql://holdfast@127.0.0.1:1/holdfast", { onError: () => undefined });
  const state = createClusterState({ pool: gone.pool, hasHeard: () => true, clock });
  expect(await state.read()).toMatchObject({ state: "unknown", nodes: [], chunks: null });
  await gone.close();
});
