import { createTestDatabase, type TestDatabase } from "@holdfast/db/testing";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { listEvents } from "../events/index.ts";
import { setIntent } from "./index.ts";

let database: TestDatabase;
beforeAll(async () => (database = await createTestDatabase()));
afterAll(() => database.drop());
beforeEach(async () => {
  await database.pool.query("TRUNCATE node, event RESTART IDENTITY CASCADE");
  await database.pool.query(
    "INSERT INTO node (identity, name, host, port, boot_id, health) VALUES (gen_random_uuid(), 'node-1', '127.0.0.1', 7101, gen_random_uuid(), 'up')",
  );
});

const onRecord = async () => (await database.pool.query("SELECT intent, maintenance_until, health FROM node")).rows[0] as unknown;

test("maintenance with an end is on record, tells its end, and leaves the observed health alone", async () => {
  const until = new Date("2026-12-24T18:00:00Z");
  expect(await setIntent(database.pool, 1, "maintenance", { until, actorId: "ada" })).toBe(true);
  expect(await onRecord()).toEqual({ intent: "maintenance", maintenance_until: until, health: "up" });
  const [event] = (await listEvents(database.pool, { limit: 5 })).items;
  expect(event).toMatchObject({ kind: "node.maintenance", nodeId: 1 });
  expect(event!.message).toContain("until 2026-12-24 18:00 UTC");
  expect((await database.pool.query("SELECT actor_id FROM event")).rows).toEqual([{ actor_id: "ada" }]);
});

test("the same wish again changes nothing and is no event; another end is", async () => {
  const until = new Date("2026-12-24T18:00:00Z");
  await setIntent(database.pool, 1, "maintenance", { until });
  expect(await setIntent(database.pool, 1, "maintenance", { until })).toBe(false);
  expect(await setIntent(database.pool, 1, "maintenance", { until: new Date("2026-12-24T19:00:00Z") })).toBe(true);
  expect((await listEvents(database.pool, { limit: 5 })).items).toHaveLength(2);
});

test("an end of maintenance does not outlive the maintenance", async () => {
  await setIntent(database.pool, 1, "maintenance", { until: new Date("2026-12-24T18:00:00Z") });
  await setIntent(database.pool, 1, "draining", { until: new Date("2026-12-24T18:00:00Z") });
  expect(await onRecord()).toMatchObject({ intent: "draining", maintenance_until: null });
});

test("a node nobody knows is an error and not a silent nothing", async () => {
  await expect(setIntent(database.pool, 77, "draining")).rejects.toMatchObject({ code: "node.unknown" });
});
