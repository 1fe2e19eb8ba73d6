import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { inTransaction } from "./client.ts";
import { createTestDatabase, type TestDatabase } from "./testing/index.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

test("the server ends a connection in mid-transaction: that transaction fails, the process lives", async () => {
  const uncaught = vi.fn<() => void>();
  process.on("uncaughtException", uncaught);
  try {
    const transaction = inTransaction(database.pool, async (tx) => {
      const { rows } = await tx.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
      const gone = new Promise((resolve) => tx.once("end", resolve));
      await database.pool.query("SELECT pg_terminate_backend($1)", [rows[0]!.pid]);
      await gone;
      await tx.query("SELECT 1");
    });

    await expect(transaction).rejects.toThrow("not queryable");
    expect(uncaught).not.toHaveBeenCalled();
    expect((await database.pool.query("SELECT 1")).rowCount).toBe(1);
  } finally {
    process.off("uncaughtException", uncaught);
  }
});
