import { createTestDatabase, type TestDatabase } from "@holdfast/db/testing";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { TopologyCluster } from "./testing/topology-cluster.ts";

let database: TestDatabase;
let cluster: TopologyCluster;
beforeAll(async () => (database = await createTestDatabase()));
afterAll(() => database.drop());
beforeEach(async () => (cluster = await TopologyCluster.create(database, 4)));
afterEach(() => cluster.stop());

/** Rows without bytes: for what only adds up. */
async function addRows(count: number, replicas: readonly number[]): Promise<void> {
  await cluster.query(
    "INSERT INTO chunk (id, length, replicas, created_at) SELECT sha256(gen_random_uuid()::text::bytea), 1000, $2, now() - interval '1 h' FROM generate_series(1, $1)",
    [count, replicas],
  );
}

const intentOf = async (id: number): Promise<unknown> =>
  (await database.pool.query<{ intent: string }>("SELECT intent FROM node WHERE id = $1", [id])).rows[0]!.intent;

test("a preview changes nothing", async () => {
  await cluster.keepMany(10);
  await cluster.preview({ kind: "drain", nodeId: 4 });
  expect([await intentOf(4), await cluster.messages()]).toEqual(["active", []]);
  expect((await database.pool.query("SELECT FROM rebalance")).rowCount).toBe(0);
});

test("of many chunks a sample is read, and the figures come close", async () => {
  await addRows(20_000, [1, 2, 4]);
  await addRows(20_000, [1, 2, 3]);
  const exact = await cluster.preview({ kind: "drain", nodeId: 4 });
  const sampled = await cluster.preview({ kind: "drain", nodeId: 4 }, 4_000);
  expect([exact.estimated, sampled.estimated]).toEqual([false, true]);
  expect(exact).toMatchObject({ chunksToMove: 20_000, bytesToMove: 20_000_000, minimumBytes: 20_000_000 });
  expect(Math.abs(sampled.bytesToMove / exact.bytesToMove - 1)).toBeLessThan(0.15);
  expect(sampled.warnings).toContain("The figures are reckoned from a sample.");
  const there = sampled.perNode.find(({ nodeId }) => nodeId === 1)!;
  expect(Math.abs(there.before / 40_000_000 - 1)).toBeLessThan(0.15);
});

test("a node that still holds chunks is not removed; an empty one is, and is gone for good", async () => {
  await addRows(3, [1, 2, 4]);
  const controller = await cluster.controller();
  const refusal = "node-4 still holds 3 chunks. Drain it first; it can be removed when it is empty.";
  expect(await cluster.preview({ kind: "remove", nodeId: 4 })).toMatchObject({ allowed: false, refusal });
  await expect(cluster.apply({ kind: "remove", nodeId: 4 }, controller)).rejects.toMatchObject({
    code: "topology.refused",
    message: refusal,
  });
  expect(await intentOf(4)).toBe("active");
  await cluster.query("DELETE FROM chunk");
  await cluster.apply({ kind: "remove", nodeId: 4 }, controller);
  expect(await intentOf(4)).toBe("removed");
  expect((await cluster.preview({ kind: "activate", nodeId: 4 })).refusal).toContain("was removed");
});

test("a dead node may be removed only if everything it held is elsewhere, and the preview says how much will be copied again", async () => {
  await addRows(3, [1, 2, 4]);
  await cluster.setHealth(4, "down");
  expect(await cluster.preview({ kind: "remove", nodeId: 4 })).toMatchObject({
    allowed: true,
    chunksToMove: 3,
    warnings: ["node-4 is down. Every chunk it held has another copy on a node that is up; 3 chunks have to be copied again."],
  });
  await addRows(2, [4]);
  await addRows(1, [3, 4]);
  await cluster.setHealth(3, "down");
  expect((await cluster.preview({ kind: "remove", nodeId: 4 })).refusal).toBe(
    "3 chunks have no other copy on a node that is up: without node-4 they are lost. Bring it back and drain it.",
  );
});

test("the last other copy goes down between the preview and the word to remove: it is asked again, and refused", async () => {
  await addRows(1, [3, 4]);
  await cluster.setHealth(4, "down");
  const controller = await cluster.controller();
  const { leadership } = controller;
  const late = {
    ...controller,
    leadership: {
      ...leadership,
      fenced: async <T>(work: Parameters<typeof leadership.fenced<T>>[0]): Promise<T> => {
        await cluster.setHealth(3, "down");
        return await leadership.fenced(work);
      },
    },
  };
  await expect(cluster.apply({ kind: "remove", nodeId: 4 }, late)).rejects.toMatchObject({ code: "topology.refused" });
  expect(await intentOf(4)).toBe("active");
});

test("what cannot be is refused with the way out", async () => {
  const refusals: [Parameters<TopologyCluster["preview"]>[0], string][] = [
    [{ kind: "drain", nodeId: 9 }, "There is no node with the number 9."],
    [{ kind: "copies", value: 1 }, "Each chunk has 2 to 9 copies: an upload counts when 2 are durable."],
    [{ kind: "copies", value: 5 }, "There are 4 nodes in service for 5 copies. Add a node first."],
    [{ kind: "weight", nodeId: 1, value: 0 }, "A weight is between 0.1 and 10. To take everything off a node, drain it."],
    [{ kind: "zone", nodeId: 1, value: " " }, "A zone has a short name of letters, digits, spaces, dots and dashes."],
  ];
  for (const [change, refusal] of refusals) expect(await cluster.preview(change)).toMatchObject({ allowed: false, refusal });
});

test("warnings tell what a change does besides", async () => {
  await cluster.query("UPDATE node SET zone = 'b' WHERE id = 4");
  await cluster.setHealth(2, "down");
  await cluster.query("UPDATE node SET writable = false WHERE id = 3");
  const { warnings } = await cluster.preview({ kind: "drain", nodeId: 4 });
  expect(warnings).toEqual([
    "Uploads wait while only one node takes chunks: they need two.",
    "Copies will be spread over one zone instead of two.",
    "node-2 is down: copies move more slowly, and none is given up before there are enough.",
  ]);
});

test("weights, zones and maintenance are on record, with who wanted them", async () => {
  await cluster.keepMany(5);
  const controller = await cluster.controller();
  await cluster.apply({ kind: "weight", nodeId: 1, value: 2 }, controller);
  await cluster.apply({ kind: "zone", nodeId: 2, value: "cellar" }, controller);
  await cluster.apply({ kind: "maintenance", nodeId: 3, value: 30 }, controller);
  const { rows } = await database.pool.query(
    "SELECT weight, zone, intent, maintenance_until > now() AS ends FROM node ORDER BY id LIMIT 3",
  );
  expect(rows).toEqual([
    { weight: 2, zone: "default", intent: "active", ends: null },
    { weight: 1, zone: "cellar", intent: "active", ends: null },
    { weight: 1, zone: "default", intent: "maintenance", ends: true },
  ]);
  const actors = await database.pool.query("SELECT DISTINCT actor_id FROM event WHERE kind LIKE 'node.%' OR kind LIKE 'rebalance.%'");
  expect(actors.rows).toEqual([{ actor_id: "ada" }]);
});

test("a node that is taken back into service ends its drain", async () => {
  await cluster.keepMany(5);
  const controller = await cluster.controller();
  await cluster.apply({ kind: "drain", nodeId: 4 }, controller);
  await cluster.apply({ kind: "activate", nodeId: 4 }, controller);
  expect(await cluster.latest()).toMatchObject({ kind: "drain", state: "cancelled" });
  expect(await intentOf(4)).toBe("active");
});

test("who does not lead changes nothing", async () => {
  await cluster.keepMany(5);
  const first = await cluster.controller();
  await cluster.controller();
  await expect(cluster.apply({ kind: "drain", nodeId: 4 }, first)).rejects.toMatchObject({ code: "leader.not_us" });
  expect(await intentOf(4)).toBe("active");
});
