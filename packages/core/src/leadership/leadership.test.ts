import { createTestDatabase, type TestDatabase } from "@holdfast/db/testing";
import type pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { createLeadership, type Leadership } from "./index.ts";

const LONG_MS = 600_000;

let database: TestDatabase;
let started: Leadership[];
beforeAll(async () => (database = await createTestDatabase()));
afterAll(() => database.drop());
beforeEach(async () => {
  started = [];
  await database.pool.query("TRUNCATE lease, event RESTART IDENTITY");
  await database.pool.query("CREATE TABLE IF NOT EXISTS written (by_epoch bigint)");
  await database.pool.query("TRUNCATE written");
});
afterEach(() => Promise.all(started.map((one) => one.stop())));

async function candidate(name: string, leaseMs = LONG_MS, watch?: QueryWatch): Promise<Leadership> {
  const leadership = createLeadership({
    pool: watch === undefined ? database.pool : watched(database.pool, watch),
    holderName: name,
    leaseMs,
    onError: (error) => expect.unreachable(String(error)),
  });
  started.push(leadership);
  await leadership.start();
  return leadership;
}

interface QueryWatch {
  beforeQuery(text: string): Promise<void>;
}

/** A pool whose transactions can be stopped before a query. */
function watched(pool: pg.Pool, watch: QueryWatch): pg.Pool {
  const connect = async () => {
    const client = await pool.connect();
    const query = async (text: string, values: unknown[]) => {
      await watch.beforeQuery(text);
      return await client.query(text, values);
    };
    return { query, release: (error?: Error) => client.release(error) };
  };
  return { connect, query: (text: string, values: unknown[]) => pool.query(text, values) } as unknown as pg.Pool;
}

const write = (leadership: Leadership) =>
  leadership.fenced(async (tx, epoch) => void (await tx.query("INSERT INTO written VALUES ($1)", [epoch])));
const written = async (): Promise<number[]> =>
  (await database.pool.query<{ epoch: number }>("SELECT by_epoch AS epoch FROM written ORDER BY 1")).rows.map(({ epoch }) => epoch);
const waitingForLocks = async (): Promise<number> =>
  (await database.pool.query("SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")).rowCount!;
/** As if the leader's machine had been silent for the length of its lease. */
const expire = () => database.pool.query("UPDATE lease SET expires_at = clock_timestamp()");

test("of two controllers the first leads; the second changes nothing", async () => {
  const first = await candidate("first");
  const second = await candidate("second");
  expect([first.epoch(), second.epoch()]).toEqual([1, undefined]);
  await write(first);
  await expect(write(second)).rejects.toMatchObject({ code: "leader.not_us" });
  expect(await written()).toEqual([1]);
});

test("a leader that stops hands over at once, with a new epoch", async () => {
  const first = await candidate("first");
  await first.stop();
  const second = await candidate("second");
  expect(second.epoch()).toBe(2);
  const { rows } = await database.pool.query<{ message: string }>("SELECT message FROM event ORDER BY id");
  expect(rows.map(({ message }) => message)).toEqual(["first leads from now on (epoch 1).", "second leads from now on (epoch 2)."]);
});

test("a leader that slept through its lease believes it leads, and changes nothing", async () => {
  const sleeper = await candidate("sleeper");
  await expire();
  const successor = await candidate("successor");
  expect([sleeper.epoch(), successor.epoch()]).toEqual([1, 2]);
  await expect(write(sleeper)).rejects.toMatchObject({ code: "leader.not_us" });
  expect(sleeper.epoch()).toBeUndefined();
  await write(successor);
  expect(await written()).toEqual([2]);
});

test("a lease that ran out is no lease, even if nobody took it", async () => {
  const sleeper = await candidate("sleeper");
  await expire();
  await expect(write(sleeper)).rejects.toMatchObject({ code: "leader.not_us" });
});

test("the lease runs out in the middle of a leader's write: the successor waits until that write has ended", async () => {
  const first = await candidate("first");
  const order: string[] = [];
  const inside = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  const writing = first.fenced(async () => {
    inside.resolve();
    await goOn.promise;
    order.push("the write ends");
  });
  await inside.promise;
  await expire();
  const taking = candidate("second").then((second) => order.push(`epoch ${second.epoch()}`));
  await vi.waitFor(async () => expect(await waitingForLocks()).toBe(1));
  goOn.resolve();
  await Promise.all([writing, taking]);
  expect(order).toEqual(["the write ends", "epoch 2"]);
});

test("a leader renews its lease, even while a write of its own is open", async () => {
  const leader = await candidate("leader", 300);
  const end = async () =>
    (await database.pool.query<{ end: number }>("SELECT extract(epoch FROM expires_at)::float AS end FROM lease")).rows[0]!.end;
  const before = await end();
  await leader.fenced(() => vi.waitFor(async () => expect(await end()).toBeGreaterThan(before)));
  expect(leader.epoch()).toBe(1);
});

describe("the epoch is raised while the leader stays", () => {
  test("nobody notices but the nodes: writes before and after count, and it is the same reign", async () => {
    const changes: unknown[] = [];
    const leader = createLeadership({
      pool: database.pool,
      holderName: "leader",
      leaseMs: 300,
      onError: (error) => expect.unreachable(String(error)),
      onChange: (epoch) => changes.push(epoch),
    });
    started.push(leader);
    await leader.start();
    await write(leader);
    await leader.advance();
    await write(leader);
    expect([await written(), leader.epoch()]).toEqual([[1, 1_001], 1_001]);
    await vi.waitFor(async () => {
      const { rows } = await database.pool.query<{ left: number }>(
        "SELECT extract(epoch FROM expires_at - clock_timestamp())::float AS left FROM lease",
      );
      expect(rows[0]!.left).toBeGreaterThan(0.25); // renewed since
    });
    expect([leader.epoch(), changes]).toEqual([1_001, [1]]);
  });

  test("in the middle of many writes: none of them fails", async () => {
    const leader = await candidate("leader");
    const writes = Array.from({ length: 20 }, () => write(leader));
    await leader.advance();
    await Promise.all([...writes, ...Array.from({ length: 20 }, () => write(leader))]);
    expect((await written()).length).toBe(40);
    expect(leader.epoch()).toBe(1_001);
  });

  test("between a write's beginning and its look at the lease: the write goes on with the new epoch", async () => {
    const looking = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    const leader = await candidate("leader", LONG_MS, {
      async beforeQuery(text) {
        if (!text.includes("FOR KEY SHARE")) return;
        looking.resolve();
        await goOn.promise;
      },
    });
    const writing = write(leader);
    await looking.promise;
    await leader.advance();
    goOn.resolve();
    await writing;
    expect(await written()).toEqual([1_001]);
  });

  test("by one whose lease ran out, even if nobody took it: refused", async () => {
    const sleeper = await candidate("sleeper");
    await expire();
    await expect(sleeper.advance()).rejects.toMatchObject({ code: "leader.not_us" });
  });

  test("by one who leads no more: refused, and the successor's epoch stays", async () => {
    const sleeper = await candidate("sleeper");
    await expire();
    const successor = await candidate("successor");
    await expect(sleeper.advance()).rejects.toMatchObject({ code: "leader.not_us" });
    await write(successor);
    expect(await written()).toEqual([2]);
  });
});
