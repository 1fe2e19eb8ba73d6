import { createTestDatabase, type TestDatabase } from "@holdfast/db/testing";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { limits } from "../kernel/index.ts";
import { readCapacityHistory, recordSamples, removeOldSamples, thinSamples } from "./index.ts";

let database: TestDatabase;
beforeAll(async () => (database = await createTestDatabase()));
afterAll(() => database.drop());

beforeEach(async () => {
  await database.pool.query("TRUNCATE node RESTART IDENTITY CASCADE");
  await database.pool.query(
    `INSERT INTO node (identity, name, host, port, boot_id, health, capacity_bytes, free_bytes, used_bytes, last_seen_at)
     SELECT gen_random_uuid(), 'node-' || number, '127.0.0.1', 7101, gen_random_uuid(), 'up', 1000, 600, 300, now() FROM generate_series(1, 2) number`,
  );
});

const sampleCount = async (): Promise<number> => (await database.pool.query("SELECT FROM node_sample")).rowCount!;

async function addSamples(nodeId: number, every: string, from: string, to: string): Promise<void> {
  await database.pool.query(
    `INSERT INTO node_sample (node_id, at, capacity_bytes, free_bytes, used_bytes, chunk_count)
     SELECT $1, at, 1000, 600, 300, 1 FROM generate_series(now() - $3::interval, now() - $4::interval, $2::interval) at`,
    [nodeId, every, from, to],
  );
}

test("nodes that answer are sampled; one that is down, or was last heard long ago, leaves a gap", async () => {
  await recordSamples(database.pool);
  expect(await sampleCount()).toBe(2);
  await database.pool.query(
    "UPDATE node SET health = 'down' WHERE id = 1; UPDATE node SET last_seen_at = now() - interval '1 h' WHERE id = 2",
  );
  await recordSamples(database.pool);
  expect(await sampleCount()).toBe(2);
});

test("the history of an hour sums the nodes, and shows nothing where nothing was reported", async () => {
  await addSamples(1, "1 min", "60 min", "0 min");
  await addSamples(2, "1 min", "60 min", "30 min");
  await database.pool.query("DELETE FROM node_sample WHERE at BETWEEN now() - interval '15 min' AND now() - interval '10 min'");

  const cluster = await readCapacityHistory(database.pool, "hour");
  expect(cluster.length).toBeGreaterThanOrEqual(30);
  expect(cluster[5]).toMatchObject({ capacityBytes: 2_000, freeBytes: 1_200, usedBytes: 600 });
  expect(cluster.at(-2)).toMatchObject({ capacityBytes: 1_000, usedBytes: 300 });
  expect(cluster.filter((point) => point.capacityBytes === null).length).toBeGreaterThanOrEqual(1);

  const second = await readCapacityHistory(database.pool, "hour", 2);
  expect(second[5]).toMatchObject({ capacityBytes: 1_000 });
  expect(second.at(-2)).toMatchObject({ capacityBytes: null });
});

test("nodes on one disk add up to one disk, and to all that they keep on it", async () => {
  await database.pool.query("UPDATE node SET device = 'cellar:2049'");
  await addSamples(1, "1 min", "60 min", "0 min");
  await addSamples(2, "1 min", "60 min", "0 min");
  const cluster = await readCapacityHistory(database.pool, "hour");
  expect(cluster[5]).toMatchObject({ capacityBytes: 1_000, freeBytes: 600, usedBytes: 600 });
});

test("after a day one sample of each quarter of an hour is left; what is older than the keeping time is gone", async () => {
  await addSamples(1, "1 min", "26 h", "25 h");
  await addSamples(1, "1 min", "2 h", "1 h");
  await addSamples(1, "1 day", `${limits.nodeSampleKeepMs + 5 * 86_400_000} ms`, `${limits.nodeSampleKeepMs + 60_000} ms`);
  await thinSamples(database.pool);
  await removeOldSamples(database.pool);
  const { rows } = await database.pool.query<{ count: number; recent: boolean }>(
    "SELECT at > now() - interval '1 day' AS recent, count(*) FROM node_sample GROUP BY 1 ORDER BY 1",
  );
  expect(rows[0]!.count).toBeLessThanOrEqual(5);
  expect(rows[1]).toEqual({ recent: true, count: 61 });
});
