import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { inTransaction, openDatabase } from "./client.ts";
import { createTestDatabase, startTestPostgres, type TestDatabase } from "./testing/index.ts";

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

test("a process that reads by keys has its statements planned once, not for each array of keys anew", async () => {
  const keyed = openDatabase(database.url, { connectionsMax: 1, keyedOnly: true, onError: () => undefined });
  const find = (ids: string[]) =>
    keyed.pool.query({ name: "find", text: 'SELECT id FROM "user" WHERE id = ANY ($1) AND name = ANY ($1)', values: [ids] });
  for (let count = 1; count < 10; count++) await find(Array.from({ length: count }, String));
  const { rows } = await keyed.pool.query("SELECT custom_plans::int AS anew FROM pg_prepared_statements WHERE name = 'find'");
  expect(rows).toEqual([{ anew: 0 }]);
  await keyed.close();
});

const TOO_LONG = { code: "57014" };

test("a statement that takes too long is ended by the server, and its connection is used again", async () => {
  const hasty = openDatabase(database.url, { connectionsMax: 1, statementTimeoutMs: 200, onError: () => undefined });
  const pidOf = async () => (await hasty.pool.query<{ pid: number }>("SELECT pg_backend_pid() AS pid")).rows[0]!.pid;
  const pid = await pidOf();
  const inVain = inTransaction(hasty.pool, (tx) => tx.query("SELECT pg_sleep(10)"));
  await expect(inVain).rejects.toMatchObject(TOO_LONG);
  expect(await pidOf()).toBe(pid);
  await hasty.close();
});

test("a transaction about very many rows is given its time, and the one after it is not", async () => {
  const hasty = openDatabase(database.url, { connectionsMax: 1, statementTimeoutMs: 200, onError: () => undefined });
  const slow = "SELECT pg_sleep(0.6)";
  await inTransaction(hasty.pool, (tx) => tx.query(slow), { statementTimeoutMs: 20_000 });
  await expect(inTransaction(hasty.pool, (tx) => tx.query(slow))).rejects.toMatchObject(TOO_LONG);
  await hasty.close();
});

test("whoever does something else in mid-transaction does not hold its locks for ever", async () => {
  const hasty = openDatabase(database.url, { statementTimeoutMs: 200, onError: () => undefined });
  const dawdling = inTransaction(hasty.pool, async (tx) => {
    await new Promise((resolve) => tx.once("end", resolve));
    await tx.query("SELECT 1");
  });
  await expect(dawdling).rejects.toThrow("not queryable");
  await hasty.close();
});

test("a frozen server: whoever waits for it learns so, no connection is left behind, and thawed it is used again", async () => {
  const server = await startTestPostgres();
  onTestFinished(() => server.stop());
  const patient = openDatabase(server.url, { connectionsMax: 4, connectTimeoutMs: 500, statementTimeoutMs: 300, onError: () => undefined });
  const { pool, prisma } = patient;
  const entered = Promise.withResolvers<void>();
  const frozen = Promise.withResolvers<void>();
  const inTheMidst = inTransaction(pool, async (tx) => {
    await tx.query("SELECT 1");
    entered.resolve();
    await frozen.promise;
    await tx.query("SELECT 1");
  });
  await Promise.all([entered.promise, prisma.user.count()]);

  server.freeze();
  frozen.resolve();
  const waiting = [inTheMidst, ...Array.from({ length: 3 }, () => pool.query("SELECT 1")), prisma.$transaction((tx) => tx.user.count())];
  const outcomes = await Promise.allSettled([...waiting, prisma.user.count(), pool.query("SELECT 1")]);
  expect(outcomes.map(({ status }) => status)).toEqual(outcomes.map(() => "rejected"));
  expect([pool.totalCount, pool.waitingCount]).toEqual([0, 0]);

  server.thaw();
  await expect.poll(() => prisma.user.count().catch(() => undefined), { timeout: 10_000 }).toBe(0);
  await patient.close();
});
