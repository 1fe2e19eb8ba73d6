import { createTestDatabase } from "@holdfast/db/testing";
import { expect, onTestFinished, test, vi } from "vitest";
import { create, createActor, metadata, OCTETS, patch, send, startGateway } from "./testing/gateway.ts";

test("thirty uploads end while their drive is held by somebody else: one connection waits for it, and another person's file is made", async () => {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  const other = await createActor(database);
  const gateway = await startGateway(database, { people: [other] });
  onTestFinished(() => gateway.stop());
  const urls = await Promise.all(Array.from({ length: 30 }, () => create(gateway, 1)));

  const holder = await database.pool.connect();
  await holder.query("BEGIN");
  await holder.query("SELECT FROM drive WHERE id = $1 FOR NO KEY UPDATE", [gateway.owner.driveId]);
  const answers = Promise.all(urls.map((url) => patch(url, 0, Buffer.from("x"))));
  const complete = async (): Promise<unknown> => (await database.pool.query("SELECT FROM upload WHERE state = 'complete'")).rowCount;
  await vi.waitFor(async () => expect(await complete()).toBe(30), { timeout: 20_000 });
  const others = await send(
    "POST",
    gateway.url,
    { ...OCTETS, "x-actor": other.userId, "upload-length": 1, "upload-metadata": metadata({ filename: "a" }) },
    Buffer.from("y"),
  );
  expect(others.status).toBe(201);
  const { rowCount } = await database.pool.query(
    "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
  );
  expect(rowCount).toBe(1);

  await holder.query("COMMIT");
  holder.release();
  const entries = (await answers).map(({ headers }) => headers["holdfast-entry-id"]);
  expect(new Set(entries).size).toBe(30);
});
