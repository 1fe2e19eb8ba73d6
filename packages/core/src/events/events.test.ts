import { createTestDatabase, type TestDatabase } from "@holdfast/db/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { listEvents, recordEvent } from "./events.ts";

let database: TestDatabase;
beforeAll(async () => (database = await createTestDatabase()));
afterAll(() => database.drop());

test("events come back newest first, page by page without a gap, and by node", async () => {
  const { pool } = database;
  for (const [index, nodeId] of [1, 2, 1, undefined, 1].entries()) {
    await recordEvent(pool, { severity: "info", kind: "node.up", message: `number ${index}`, nodeId });
  }
  const first = await listEvents(pool, { limit: 3 });
  expect(first.items.map((event) => event.message)).toEqual(["number 4", "number 3", "number 2"]);
  const second = await listEvents(pool, { limit: 3, before: first.nextCursor });
  expect(second.items.map((event) => event.message)).toEqual(["number 1", "number 0"]);
  expect(second.nextCursor).toBeUndefined();

  const ofNode = await listEvents(pool, { limit: 3, nodeId: 1 });
  expect(ofNode.items.map((event) => event.message)).toEqual(["number 4", "number 2", "number 0"]);
  expect(ofNode.nextCursor).toBeUndefined();
});
