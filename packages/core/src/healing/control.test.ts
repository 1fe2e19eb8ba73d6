import { inTransaction } from "@holdfast/db";
import { createTestDatabase, type TestDatabase } from "@holdfast/db/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { listEvents } from "../events/index.ts";
import { GiB, MiB } from "../kernel/index.ts";
import { pauseHealing, resumeHealing, setHealingRate } from "./index.ts";

let database: TestDatabase;
beforeAll(async () => (database = await createTestDatabase()));
afterAll(() => database.drop());

test("pausing, resuming and limiting are each told once, with the name of who did it", async () => {
  const { pool } = database;
  await pool.query("INSERT INTO cluster (id) VALUES (gen_random_uuid())");
  const ada = { id: "u1", name: "Ada" };
  await inTransaction(pool, async (tx) => {
    for (let time = 0; time < 2; time++) await pauseHealing(tx, ada);
    for (let time = 0; time < 2; time++) await setHealingRate(tx, ada, 50 * MiB);
    await setHealingRate(tx, ada, 3 * GiB);
    await setHealingRate(tx, ada, null);
    for (let time = 0; time < 2; time++) await resumeHealing(tx, ada);
  });
  const { items } = await listEvents(pool, { limit: 10 });
  expect(items.map(({ message }) => message).toReversed()).toEqual([
    "Ada paused repair and rebalance. Chunks with one copy left are repaired all the same.",
    "Ada limited repair and rebalance to 52.4 MB a second.",
    "Ada limited repair and rebalance to 3.2 GB a second.",
    "Ada lifted the limit on repair and rebalance.",
    "Ada let repair and rebalance go on.",
  ]);
  const { rows } = await pool.query("SELECT healing_paused, healing_bytes_per_sec FROM cluster");
  expect(rows).toEqual([{ healing_paused: false, healing_bytes_per_sec: null }]);
});
