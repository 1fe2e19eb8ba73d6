import { randomBytes } from "node:crypto";
import { createTestDatabase, type TestDatabase } from "@holdfast/db/testing";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { chunkIdOf, chunkIdToBytes } from "../chunking/index.ts";
import { approveGarbageRun, brakeLimits, listBraked, readKnownNodes } from "../garbage-collection/index.ts";
import { createLogger, DAY_MS, HOUR_MS, MINUTE_MS } from "../kernel/index.ts";
import { createManualClock, createStoredCluster, type StoredCluster } from "../testing/index.ts";
import { createInventory, type InventoryOptions, takeInventory } from "./index.ts";

let database: TestDatabase;
let cluster: StoredCluster;
beforeAll(async () => (database = await createTestDatabase()));
afterAll(() => database.drop());
beforeEach(async () => (cluster = await createStoredCluster(database)));
afterEach(() => cluster.stop());

const signal = new AbortController().signal;

async function inventoryOf(nodeId: number, changes: Partial<Parameters<typeof takeInventory>[0]> = {}) {
  const { leadership, nodes } = cluster;
  const node = (await readKnownNodes(database.pool)).find(({ id }) => id === nodeId)!;
  return await takeInventory({ pool: database.pool, leadership, clients: nodes.clients, brakes: brakeLimits, ...changes }, node, {
    signal,
  });
}

const eventsOf = async (kind: string): Promise<{ severity: string; message: string }[]> =>
  (
    await database.pool.query<{ severity: string; message: string }>("SELECT severity, message FROM event WHERE kind = $1 ORDER BY id", [
      kind,
    ])
  ).rows;

async function inventoriedAt(nodeId: number): Promise<Date | null> {
  return (await database.pool.query<{ at: Date | null }>("SELECT inventoried_at AS at FROM node WHERE id = $1", [nodeId])).rows[0]!.at;
}

describe("one node is compared with the database", () => {
  test("everything is where it should be: nothing changes, nothing is told", async () => {
    for (let count = 0; count < 5; count++) await cluster.keep();
    expect(await inventoryOf(1)).toEqual({ held: 5, missing: 0, lost: 0, found: 0, adopted: 0 });
    expect(await inventoriedAt(1)).toBeInstanceOf(Date);
    expect(await eventsOf("node.inventoried")).toEqual([]);
  });

  test("copies vanished: they count no longer, the last one of a chunk stays named, and one event says it all", async () => {
    const [whole, short, last] = [await cluster.keep(), await cluster.keep({ on: [2, 3] }), await cluster.keep({ replicas: [1], on: [] })];
    expect(await inventoryOf(1)).toMatchObject({ held: 1, missing: 1, lost: 1 });
    expect((await cluster.row(whole))?.replicas).toEqual([1, 2, 3]);
    expect((await cluster.row(short))?.replicas).toEqual([2, 3]);
    expect((await cluster.row(last))?.replicas).toEqual([1]);
    const events = await eventsOf("node.inventoried");
    expect(events).toEqual([{ severity: "error", message: expect.stringContaining("1 copies are not there") }]);
  });

  test("a whole disk was emptied: every row is corrected, in bounded pages", async () => {
    await database.pool.query(
      `INSERT INTO chunk (id, length, replicas, created_at)
       SELECT sha256(number::text::bytea), 1, '{1,2}', now() - interval '1 hour' FROM generate_series(1, 9000) AS number`,
    );
    expect(await inventoryOf(1)).toMatchObject({ held: 0, missing: 9_000, lost: 0 });
  });

  test("the listing is a moment old: what the node has by now is not missing", async () => {
    const id = await cluster.keep();
    const { clients } = cluster.nodes;
    const stale = { ...clients, clientFor: (node: { id: number }) => ({ ...clients.clientFor(node), list: async () => [] }) };
    expect(await inventoryOf(1, { clients: stale })).toMatchObject({ missing: 0, found: 0 });
    expect((await cluster.row(id))?.replicas).toEqual([1, 2, 3]);
  });

  test("a chunk was written a moment ago, and its disk was emptied since: that copy counts no longer", async () => {
    const id = await cluster.keep({ on: [2, 3] });
    await database.pool.query("UPDATE chunk SET created_at = now()");
    expect(await inventoryOf(1)).toMatchObject({ missing: 1 });
    expect((await cluster.row(id))?.replicas).toEqual([2, 3]);
  });

  test("a live chunk's copy lies in the node's trash: it is taken back instead of copied", async () => {
    const id = await cluster.keep();
    await cluster.node(1).store.trash([id]);
    expect(await inventoryOf(1)).toMatchObject({ missing: 0, found: 1 });
    expect([cluster.holders(id), (await cluster.row(id))?.replicas]).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ]);
  });

  test("a copy that nobody noted counts once it was read whole; a damaged one never does", async () => {
    const [whole, damaged] = [
      await cluster.keep({ replicas: [2, 3], on: [1, 2, 3] }),
      await cluster.keep({ replicas: [2, 3], on: [1, 2, 3] }),
    ];
    cluster.node(1).store.chunks.get(damaged)![0]! ^= 1;
    expect(await inventoryOf(1)).toMatchObject({ found: 1 });
    expect((await cluster.row(whole))?.replicas).toEqual([1, 2, 3]);
    expect((await cluster.row(damaged))?.replicas).toEqual([2, 3]);
  });

  test("a copy is about to be trashed while it is read: it does not count", async () => {
    const id = await cluster.keep({ replicas: [2, 3], on: [1, 2, 3] });
    cluster.node(1).onCommand = async () =>
      void (await database.pool.query("UPDATE chunk SET trashing_until = clock_timestamp() + interval '1 minute'"));
    expect(await inventoryOf(1)).toMatchObject({ found: 0 });
    expect((await cluster.row(id))?.replicas).toEqual([2, 3]);
  });

  test("the node stops answering half-way: the inventory does not count", async () => {
    await cluster.keep({ on: [2, 3] });
    const { clients } = cluster.nodes;
    const breaking = {
      ...clients,
      clientFor: (node: { id: number }) => ({
        ...clients.clientFor(node),
        stat: async () => {
          throw new Error("gone");
        },
      }),
    };
    await expect(inventoryOf(1, { clients: breaking })).rejects.toThrow("gone");
    expect(await inventoriedAt(1)).toBeNull();
  });

  test("another controller leads by now: nothing is written", async () => {
    const id = await cluster.keep({ on: [2, 3] });
    await database.pool.query("UPDATE lease SET expires_at = clock_timestamp()");
    await expect(inventoryOf(1)).rejects.toMatchObject({ code: "leader.not_us" });
    expect((await cluster.row(id))?.replicas).toEqual([1, 2, 3]);
  });
});

describe("chunks that nobody knows", () => {
  async function keepUnknown(...nodeIds: number[]) {
    const bytes = randomBytes(500);
    for (const nodeId of nodeIds) await cluster.node(nodeId).store.put(chunkIdOf(bytes), bytes);
    return chunkIdOf(bytes);
  }

  test("an upload died before its commit: its chunk becomes garbage that waits, on every node that has it", async () => {
    const id = await keepUnknown(1, 2);
    expect(await inventoryOf(1)).toMatchObject({ adopted: 1 });
    expect(await cluster.row(id)).toMatchObject({ state: "condemned", replicas: [1] });
    await inventoryOf(2);
    expect(await cluster.row(id)).toMatchObject({ state: "condemned", replicas: [1, 2] });
    expect(cluster.holders(id)).toEqual([1, 2]);
  });

  test("its upload commits while the inventory goes on: it is no garbage", async () => {
    const id = await keepUnknown(1);
    const { clients } = cluster.nodes;
    let pages = 0;
    const slow = {
      ...clients,
      clientFor: (node: { id: number }) => ({
        ...clients.clientFor(node),
        async list(...page: Parameters<ReturnType<typeof clients.clientFor>["list"]>) {
          if (++pages === 2)
            await database.pool.query("INSERT INTO chunk (id, length, replicas) VALUES ($1, 500, '{1,2}')", [chunkIdToBytes(id)]);
          return await clients.clientFor(node).list(...page);
        },
      }),
    };
    const brakes = { share: 0, chunksMin: 0, bytesMin: 0 };
    expect(await inventoryOf(1, { clients: slow, brakes })).toMatchObject({ adopted: 0 });
    expect(await cluster.row(id)).toMatchObject({ state: "live" });
    expect(await listBraked(database.pool)).toEqual([]); // nor is it counted as unknown
  });

  test("its upload commits in the last moment, after it was asked for again: the upload's row stands", async () => {
    const id = await keepUnknown(1);
    const { leadership } = cluster;
    const late = {
      requireEpoch: () => leadership.requireEpoch(),
      async fenced<T>(work: Parameters<typeof leadership.fenced<T>>[0]): Promise<T> {
        await database.pool.query("INSERT INTO chunk (id, length, replicas) VALUES ($1, 500, '{1,2}') ON CONFLICT DO NOTHING", [
          chunkIdToBytes(id),
        ]);
        return await leadership.fenced(work);
      },
    };
    expect(await inventoryOf(1, { leadership: late })).toMatchObject({ adopted: 0 });
    expect(await cluster.row(id)).toMatchObject({ state: "live", replicas: [1, 2] });
  });

  test("a node is back that trashed nothing while it was away: a forgotten chunk waits for its grace once more", async () => {
    const id = await keepUnknown(3);
    await database.pool.query(
      `INSERT INTO chunk (id, length, replicas, state, condemned_at, trashing_until)
       VALUES ($1, 500, '{}', 'condemned', now() - interval '2 days', now() - interval '1 day')`,
      [chunkIdToBytes(id)],
    );
    await inventoryOf(3);
    expect(await cluster.row(id)).toMatchObject({ state: "condemned", replicas: [3] });
    const { rows } = await database.pool.query<{ ageMs: number }>(
      `SELECT extract(epoch FROM now() - condemned_at)::float * 1000 AS "ageMs" FROM chunk`,
    );
    expect(rows[0]!.ageMs).toBeLessThan(MINUTE_MS);
  });

  test("a condemned chunk is not on its node any more: nobody has to be told", async () => {
    const id = await cluster.keep({ on: [2, 3], referred: false });
    await database.pool.query("UPDATE chunk SET state = 'condemned', condemned_at = now()");
    await inventoryOf(1);
    expect((await cluster.row(id))?.replicas).toEqual([2, 3]);
  });

  test("the database was set back: many unknown chunks are not called garbage until an operator does", async () => {
    const ids = [await keepUnknown(1), await keepUnknown(1), await keepUnknown(1)];
    const brakes = { share: 0.01, chunksMin: 2, bytesMin: 1_000_000 };
    expect(await inventoryOf(1, { brakes })).toMatchObject({ adopted: 0 });
    expect(await Promise.all(ids.map((id) => cluster.row(id)))).toEqual([undefined, undefined, undefined]);
    const braked = await listBraked(database.pool);
    expect(braked).toMatchObject([
      { cause: "unknown-chunks/1", chunks: 3, bytes: 1_500, why: expect.stringContaining("node-1 holds 3 chunks") },
    ]);
    await approveGarbageRun(database.pool, braked[0]!.id, { userId: "operator" });
    expect(await inventoryOf(1, { brakes })).toMatchObject({ adopted: 3 });
    expect(await inventoryOf(1, { brakes })).toMatchObject({ adopted: 0 });
    expect(await listBraked(database.pool)).toEqual([]);
  });
});

describe("whose turn it is", () => {
  const clock = createManualClock();
  function inventory(changes: Partial<InventoryOptions> = {}) {
    const { leadership, nodes } = cluster;
    const logger = createLogger("test", "silent");
    const options = {
      pool: database.pool,
      leadership,
      clients: nodes.clients,
      safemode: { isOn: () => false },
      logger,
      graceMs: DAY_MS,
      clock,
    };
    return createInventory({ ...options, ...changes });
  }
  const sql = (text: string) => database.pool.query(text);
  const isFresh = async (nodeId: number) => Date.now() - ((await inventoriedAt(nodeId))?.getTime() ?? 0) < MINUTE_MS;

  test("nodes that were never compared, then each again at the interval", async () => {
    const one = inventory();
    expect(await one.gap()).toContain("node-1, node-2, node-3");
    await one.step(signal);
    expect(await one.gap()).toBeUndefined();
    await sql("UPDATE node SET inventoried_at = now() - interval '5 hours'");
    await one.step(signal);
    expect(await isFresh(1)).toBe(false);
    await sql("UPDATE node SET inventoried_at = now() - interval '7 hours'");
    clock.advance(HOUR_MS);
    await one.step(signal);
    expect(await isFresh(1)).toBe(true);
  });

  test.each([
    ["was down", "health_changed_at = now() - interval '2 hours'"],
    ["was restarted", "boot_id = gen_random_uuid()"],
  ])("a node that %s since is compared at once", async (_what, change) => {
    const one = inventory();
    await one.step(signal);
    await sql("UPDATE node SET inventoried_at = now() - interval '3 hours'");
    clock.advance(3 * HOUR_MS);
    await sql(`UPDATE node SET ${change} WHERE id = 2`);
    await one.step(signal);
    expect([await isFresh(1), await isFresh(2)]).toEqual([false, true]);
  });

  test("a node found a copy damaged: it counts no longer within the next look, without an inventory", async () => {
    const id = await cluster.keep();
    const one = inventory();
    await one.step(signal);
    const before = await inventoriedAt(2);
    cluster.node(2).store.chunks.delete(id);
    cluster.node(2).lost = [id];
    await one.step(signal);
    expect((await cluster.row(id))?.replicas).toEqual([1, 2, 3]); // it has not said so yet
    await sql("UPDATE node SET corrupt_chunks = 1 WHERE id = 2");
    await one.step(signal);
    expect((await cluster.row(id))?.replicas).toEqual([1, 3]);
    expect(await inventoriedAt(2)).toEqual(before);
    expect(await eventsOf("node.inventoried")).toMatchObject([{ severity: "warning" }]);
  });

  test("a node that does not answer keeps nobody waiting but the clean-up", async () => {
    cluster.node(2).fault = "unreachable";
    const one = inventory();
    await one.step(signal);
    expect([await isFresh(1), await isFresh(2), await isFresh(3)]).toEqual([true, false, true]);
    expect(await one.gap()).toContain("node-2");
    await sql("UPDATE node SET health = 'down' WHERE id = 2");
    expect(await one.gap()).toBeUndefined();
  });

  test("in safemode nobody is compared", async () => {
    await inventory({ safemode: { isOn: () => true } }).step(signal);
    expect(await inventoriedAt(1)).toBeNull();
  });

  test("a node that was away for longer than the grace has to be compared before its copies count for drops", async () => {
    const one = inventory();
    await one.step(signal);
    expect([one.isInventoried(2), one.isInventoried(9)]).toEqual([true, false]);
    cluster.node(2).fault = "unreachable";
    await sql("UPDATE node SET inventoried_at = now() - interval '2 days', health_changed_at = now() WHERE id = 2");
    await one.step(signal);
    expect(one.isInventoried(2)).toBe(false);
    cluster.node(2).fault = "none";
    clock.advance(HOUR_MS);
    await one.step(signal);
    expect(one.isInventoried(2)).toBe(true);
  });
});
