import { createTestDatabase, type TestDatabase } from "@holdfast/db/testing";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { createSettingsCache } from "./index.ts";

let database: TestDatabase;
beforeAll(async () => (database = await createTestDatabase()));
afterAll(() => database.drop());

test("the environment's word holds until an operator says otherwise, and then theirs within a moment", async () => {
  const cache = createSettingsCache({
    pool: database.pool,
    replicas: 3,
    writeQuorum: 2,
    refreshMs: 10,
    onError: () => expect.unreachable(),
  });
  await cache.start();
  expect(cache.settings()).toMatchObject({ replicas: 3, writeQuorum: 2, policy: "rendezvous" });
  await database.pool.query("INSERT INTO cluster (id, replicas, placement_policy) VALUES (gen_random_uuid(), 4, 'ring')");
  await vi.waitFor(() => expect(cache.settings()).toMatchObject({ replicas: 4, policy: "ring" }));
  await cache.stop();
});
