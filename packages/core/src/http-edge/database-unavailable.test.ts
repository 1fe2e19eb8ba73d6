import { inTransaction, openDatabase } from "@holdfast/db";
import { createTestDatabase } from "@holdfast/db/testing";
import { expect, test } from "vitest";
import { ChunkStoreError } from "../chunk-store/index.ts";
import { isDatabaseUnavailable } from "./database-unavailable.ts";

const failure = (work: Promise<unknown>) =>
  work.then(
    () => expect.unreachable("it should have failed"),
    (error: unknown) => error,
  );

test("a server that is not there is recognised through the pool and through Prisma", async () => {
  const away = openDatabase("postgresql://nobody@127.0.0.1:1/none", { onError: () => undefined });
  const errors = await Promise.all([
    failure(away.pool.query("SELECT 1")),
    failure(away.prisma.user.count()),
    failure(away.prisma.$queryRaw`SELECT 1`),
    failure(away.prisma.$transaction((tx) => tx.user.count())),
    failure(inTransaction(away.pool, async () => undefined)),
  ]);
  expect(errors.map(isDatabaseUnavailable)).toEqual([true, true, true, true, true]);
  await away.close();
});

test("a connection that an administrator ends in mid-query is recognised, whoever made the query", async () => {
  const database = await createTestDatabase();
  const sleepers = [failure(database.pool.query("SELECT pg_sleep(60)")), failure(database.prisma.$queryRaw`SELECT pg_sleep(60)::text`)];
  const other = openDatabase(database.url, { onError: () => undefined });
  const ended = new Set<number>();
  while (ended.size < sleepers.length) {
    const { rows } = await other.pool.query<{ pid: number }>(
      "SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%pg_sleep%' AND pid <> pg_backend_pid() AND state = 'active'",
    );
    for (const { pid } of rows) ended.add(pid);
  }
  expect((await Promise.all(sleepers)).map(isDatabaseUnavailable)).toEqual([true, true]);
  await other.close();
  await database.drop();
});

test("a pool whose connections are all taken is recognised", async () => {
  const database = await createTestDatabase();
  const small = openDatabase(database.url, { connectionsMax: 1, connectTimeoutMs: 1_000, onError: () => undefined });
  const held = await small.pool.connect();
  expect(isDatabaseUnavailable(await failure(small.pool.query("SELECT 1")))).toBe(true);
  held.release();
  await small.close();
  await database.drop();
});

test("a wrapped outage is recognised; a wrong query and a node's outage are not", async () => {
  const refused = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
  expect(isDatabaseUnavailable(new Error("outer", { cause: new AggregateError([refused]) }))).toBe(true);
  expect(isDatabaseUnavailable(Object.assign(new Error("syntax"), { code: "42601" }))).toBe(false);
  expect(isDatabaseUnavailable(new ChunkStoreError("store.unreachable", "Node 1 is away.", {}, { cause: refused }))).toBe(false);
  expect(isDatabaseUnavailable(undefined)).toBe(false);
});
