import { createTestDatabase, type TestDatabase } from "@holdfast/db/testing";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { type ChunkId, chunkIdToBytes } from "../chunking/index.ts";
import { cancelRebalance, pauseRebalance, resumeRebalance, throttleRebalance } from "./index.ts";
import { type Controller, TopologyCluster } from "./testing/topology-cluster.ts";

let database: TestDatabase;
let cluster: TopologyCluster;
beforeAll(async () => (database = await createTestDatabase()));
afterAll(() => database.drop());
beforeEach(async () => (cluster = await TopologyCluster.create(database, 4)));
afterEach(() => cluster.stop());

/** Counts the copies at the worst moments: before one more is fetched, and when an old one has just left its row. */
function watchCopies(): { fewest: number } {
  const seen = { fewest: Number.POSITIVE_INFINITY };
  const look = async ({ id }: { id: ChunkId }): Promise<void> => void (seen.fewest = Math.min(seen.fewest, await cluster.copiesOf(id)));
  cluster.beforeCopy = look;
  cluster.beforeTrash = look;
  return seen;
}

/** Strikes once, when so many copies have been made or a few more: two may be done between one question and the next. */
function onceCopied(copies: number, strike: () => Promise<unknown>): void {
  let isOver = false;
  cluster.beforeCopy = async ({ count }) => {
    if (isOver || count < copies) return;
    isOver = true;
    await strike();
  };
}

test("one of four nodes is drained: nothing is left there, and never does a chunk have fewer than three copies", async () => {
  await cluster.keepMany(60);
  const held = await cluster.countOn(4);
  const controller = await cluster.controller();
  const { preview } = await cluster.apply({ kind: "drain", nodeId: 4 }, controller);
  const seen = watchCopies();
  const report = await cluster.stepUntil("done", controller);
  expect(seen.fewest).toBe(3);
  expect([await cluster.countOn(4), cluster.node(4).store.chunks.size]).toEqual([0, 0]);
  expect(await cluster.fewestCopies()).toBe(3);
  expect(cluster.copied.length).toBe(held); // and nothing else moved
  expect(preview).toMatchObject({ chunksToMove: held, bytesToMove: held * 1_000, minimumBytes: held * 1_000, estimated: false });
  expect(report).toMatchObject({ chunksDone: held, chunksTotal: held, bytesDone: held * 1_000, bytesTotal: held * 1_000, chunksFailed: 0 });
  expect(await cluster.messages()).toEqual([
    "node-4 is being emptied: it takes no new chunks, and what it holds moves to other nodes.",
    expect.stringMatching(/^node-4 is being emptied\. \d+ chunks \(.* kB\) to move\.$/),
    expect.stringMatching(/^node-4 is empty\. \d+ chunks \(.* kB\) moved\.$/),
  ]);
});

test("what the preview promises for each node is what is there in the end", async () => {
  await cluster.keepMany(60);
  const controller = await cluster.controller();
  const { preview } = await cluster.apply({ kind: "drain", nodeId: 2 }, controller);
  await cluster.stepUntil("done", controller);
  for (const { nodeId, after } of preview.perNode) expect(after).toBe((await cluster.countOn(nodeId)) * 1_000);
});

test("three nodes, three copies: a drain says at once what it lacks, waits, and ends by itself when a node joins", async () => {
  cluster = await TopologyCluster.create(database, 3);
  await cluster.keepMany(20);
  const controller = await cluster.controller();
  const { preview } = await cluster.apply({ kind: "drain", nodeId: 3 }, controller);
  expect(preview.blockedBy).toBe("2 nodes would be left for 3 copies: add a node or lower the number of copies.");
  expect(await cluster.latest()).toMatchObject({ state: "blocked", blocked: preview.blockedBy });
  await controller.step();
  expect(await cluster.latest()).toMatchObject({ state: "blocked", blocked: preview.blockedBy, chunksDone: 0 });
  expect(await cluster.fewestCopies()).toBe(3);
  await cluster.join();
  expect(await cluster.stepUntil("done", controller)).toMatchObject({ chunksDone: 20 });
  expect(await cluster.countOn(3)).toBe(0);
});

test("another node dies in mid-drain: copies are made, but none is given up that would be missed, until it is back", async () => {
  await cluster.keepMany(40);
  const controller = await cluster.controller();
  await cluster.apply({ kind: "drain", nodeId: 4 }, controller);
  onceCopied(5, () => cluster.setHealth(1, "down"));
  await controller.step();
  await controller.step();
  const reachable = await cluster.fewestCopies();
  expect(reachable).toBeGreaterThanOrEqual(2); // what node-1 took away, nothing more
  expect(await cluster.latest()).toMatchObject({ state: "blocked" });
  for (const replicas of (await cluster.rows()).values()) expect(replicas.filter((id) => id !== 1).length).toBeGreaterThanOrEqual(2);
  await cluster.setHealth(1, "up");
  await cluster.stepUntil("done", controller);
  expect([await cluster.countOn(4), await cluster.fewestCopies()]).toEqual([0, 3]);
});

test("the node that is drained dies before it is empty: the others have what it had", async () => {
  await cluster.keepMany(40);
  const controller = await cluster.controller();
  await cluster.apply({ kind: "drain", nodeId: 4 }, controller);
  onceCopied(5, () => cluster.setHealth(4, "down"));
  await cluster.stepUntil("done", controller);
  expect([await cluster.countOn(4), await cluster.fewestCopies()]).toEqual([0, 3]);
});

test("two nodes are drained at once: both end empty, one after the other", async () => {
  await cluster.join();
  await cluster.keepMany(60);
  const controller = await cluster.controller();
  await cluster.apply({ kind: "drain", nodeId: 3 }, controller);
  await cluster.apply({ kind: "drain", nodeId: 4 }, controller);
  const seen = watchCopies();
  await cluster.stepUntil("done", controller);
  expect(seen.fewest).toBe(3);
  expect([await cluster.countOn(3), await cluster.countOn(4), await cluster.fewestCopies()]).toEqual([0, 0, 3]);
});

test("paused, nothing moves; resumed, it goes on where it was", async () => {
  await cluster.keepMany(40);
  const held = await cluster.countOn(4);
  const controller = await cluster.controller();
  const { rebalanceId } = await cluster.apply({ kind: "drain", nodeId: 4 }, controller);
  await pauseRebalance(rebalanceId!, controller);
  await controller.step();
  expect(cluster.copied).toEqual([]);
  await resumeRebalance(rebalanceId!, controller);
  expect(await cluster.stepUntil("done", controller)).toMatchObject({ chunksDone: held });
  expect(await cluster.messages()).toContain('The rebalance "node-4 is being emptied." was paused.');
});

test("paused in the middle of a pass, it stops within a second", async () => {
  await cluster.keepMany(200);
  const controller = await cluster.controller();
  const { rebalanceId } = await cluster.apply({ kind: "drain", nodeId: 4 }, controller);
  await throttleRebalance(rebalanceId!, 20_000, controller); // a copy every 50 ms
  onceCopied(3, () => pauseRebalance(rebalanceId!, controller));
  await controller.step();
  expect(cluster.copied.length).toBeLessThan(60);
  expect(await cluster.latest()).toMatchObject({ state: "paused" });
  expect(await cluster.countOn(4)).toBeGreaterThan(0);
});

test("cancelled, a drain leaves what it moved, and the node is in service again", async () => {
  await cluster.keepMany(100);
  const held = await cluster.countOn(4);
  const controller = await cluster.controller();
  const { rebalanceId } = await cluster.apply({ kind: "drain", nodeId: 4 }, controller);
  await throttleRebalance(rebalanceId!, 20_000, controller);
  cluster.beforeCopy = async ({ count }) => {
    if (count !== 5) return;
    cluster.beforeCopy = () => undefined;
    await cancelRebalance(rebalanceId!, controller);
  };
  await controller.step();
  const left = await cluster.countOn(4);
  expect(left).toBeGreaterThan(0);
  expect(left).toBeLessThan(held);
  await controller.step();
  expect(await cluster.countOn(4)).toBe(left);
  expect(await cluster.fewestCopies()).toBe(3);
  expect((await database.pool.query("SELECT intent FROM node WHERE id = 4")).rows).toEqual([{ intent: "active" }]);
  await expect(pauseRebalance(rebalanceId!, controller)).rejects.toMatchObject({ code: "rebalance.not_open" });
});

test("the leader dies in the middle: the next one goes on from the chunk rows, and the old one changes nothing any more", async () => {
  await cluster.keepMany(60);
  const held = await cluster.countOn(4);
  const first = await cluster.controller();
  await cluster.apply({ kind: "drain", nodeId: 4 }, first);
  let succession: Promise<{ second: Controller; givenUp: number }> | undefined;
  const succeed = async (): Promise<{ second: Controller; givenUp: number }> => ({
    second: await cluster.controller(),
    givenUp: held - (await cluster.countOn(4)),
  });
  cluster.beforeCopy = async ({ count }) => {
    if (count >= 10) await (succession ??= succeed());
  };
  await first.step();
  const { second, givenUp } = await succession!;
  expect(held - (await cluster.countOn(4))).toBe(givenUp);
  const seen = watchCopies();
  await cluster.stepUntil("done", second);
  expect(seen.fewest).toBe(3);
  expect([await cluster.countOn(4), await cluster.fewestCopies()]).toEqual([0, 3]);
});

test("a crash between the new copy and the old one's end leaves one copy too many, which the next pass gives up", async () => {
  const id = await cluster.keep([1, 2, 3, 4]);
  const controller = await cluster.controller();
  await cluster.apply({ kind: "drain", nodeId: 4 }, controller);
  await cluster.stepUntil("done", controller);
  expect([await cluster.replicas(id), cluster.copied]).toEqual([[1, 2, 3], []]);
});

test("a copy that is one too many stays when one of the others is not whole", async () => {
  const id = await cluster.keep([1, 2, 3, 4]);
  cluster.node(2).store.chunks.get(id)![0]! ^= 1;
  const controller = await cluster.controller();
  await cluster.apply({ kind: "drain", nodeId: 4 }, controller);
  await controller.step();
  expect(await cluster.replicas(id)).toContain(4);
  expect(cluster.node(4).store.chunks.has(id)).toBe(true);
});

test("a fifth node joins: what moves is its share and no more, and afterwards it is as full as the others", async () => {
  await cluster.keepMany(500);
  await cluster.join();
  const controller = await cluster.controller();
  const preview = await cluster.preview({ kind: "spread" });
  expect(await cluster.countOn(5)).toBe(0); // seen first; nothing happens by itself
  await controller.step();
  expect(cluster.copied).toEqual([]);
  await cluster.apply({ kind: "spread" }, controller);
  const seen = watchCopies();
  await cluster.stepUntil("done", controller);
  expect(seen.fewest).toBe(3);
  const held = await Promise.all([1, 2, 3, 4, 5].map((id) => cluster.countOn(id)));
  expect(cluster.copied.every(({ to }) => to === 5)).toBe(true);
  expect(cluster.copied.length).toBeLessThanOrEqual(1.02 * held[4]!);
  expect(cluster.copied.length * 1_000).toBe(preview.bytesToMove);
  expect(preview.bytesToMove).toBe(preview.minimumBytes);
  expect(Math.max(...held) / 300).toBeLessThan(1.15); // 500 chunks are few: chance alone makes this uneven
  for (const [id, replicas] of await cluster.rows()) expect(replicas).toEqual(await cluster.homes(id));
});

test("by load, a fifth node takes from the fullest until all are even, and then it is over", async () => {
  await cluster.query("UPDATE cluster SET placement_policy = 'least-loaded'");
  await cluster.keepMany(50, [1, 2, 3]);
  await cluster.keepMany(50, [1, 2, 4]);
  await cluster.join();
  const controller = await cluster.controller();
  const preview = await cluster.preview({ kind: "spread" });
  await cluster.apply({ kind: "spread" }, controller);
  await cluster.stepUntil("done", controller);
  const held = await Promise.all([1, 2, 3, 4, 5].map((id) => cluster.countOn(id)));
  expect(Math.max(...held)).toBeLessThanOrEqual(61);
  expect(cluster.copied.length).toBeLessThanOrEqual(82); // 60 to the fifth, 10 each to the two that had 50
  expect(preview.bytesToMove).toBeLessThanOrEqual(preview.minimumBytes * 1.02);
  expect((await cluster.preview({ kind: "spread" })).chunksToMove).toBe(0);
});

test("another policy: everything goes to its new homes by and by", async () => {
  await cluster.join();
  await cluster.keepMany(60);
  const controller = await cluster.controller();
  await cluster.apply({ kind: "policy", value: "ring" }, controller);
  const seen = watchCopies();
  await cluster.stepUntil("done", controller);
  expect(seen.fewest).toBe(3);
  for (const [id, replicas] of await cluster.rows()) expect(replicas).toEqual(await cluster.homes(id, "ring"));
});

test("fewer copies are wanted: one of each is given up, the one that belongs least, after the others were read", async () => {
  await cluster.keepMany(20);
  const controller = await cluster.controller();
  await cluster.apply({ kind: "copies", value: 2 }, controller);
  const report = await cluster.stepUntil("done", controller);
  expect(report).toMatchObject({ kind: "spread", chunksDone: 20, bytesDone: 0 });
  expect([await cluster.fewestCopies(), cluster.copied]).toEqual([2, []]);
  for (const replicas of (await cluster.rows()).values()) expect(replicas.length).toBe(2);
});

test("more copies are wanted: that is repair's work, and the preview says how much", async () => {
  await cluster.keepMany(20);
  const controller = await cluster.controller();
  const { preview, rebalanceId } = await cluster.apply({ kind: "copies", value: 4 }, controller);
  expect(preview).toMatchObject({ chunksToMove: 20, bytesToMove: 20_000 });
  expect(rebalanceId).toBeUndefined();
  expect((await database.pool.query("SELECT replicas FROM cluster")).rows).toEqual([{ replicas: 4 }]);
});

test("a chunk is deleted while it moves: it does not come back, and its copies are left to the garbage collection", async () => {
  const id = await cluster.keep([1, 2, 4]);
  const controller = await cluster.controller();
  await cluster.apply({ kind: "drain", nodeId: 4 }, controller);
  cluster.beforeCopy = () => cluster.query("UPDATE chunk SET state = 'condemned' WHERE id = $1", [chunkIdToBytes(id)]);
  await cluster.stepUntil("done", controller);
  const { rows } = await database.pool.query("SELECT state, replicas FROM chunk");
  expect(rows).toEqual([{ state: "condemned", replicas: [1, 2, 4] }]);
  expect(cluster.node(4).store.chunks.has(id)).toBe(true);
});

test("what is on its way out anyway is not moved, and holds no drain up", async () => {
  const id = await cluster.keep([1, 2, 4]);
  await cluster.query("UPDATE chunk SET state = 'condemned' WHERE id = $1", [chunkIdToBytes(id)]);
  const controller = await cluster.controller();
  await cluster.apply({ kind: "drain", nodeId: 4 }, controller);
  expect(await cluster.stepUntil("done", controller)).toMatchObject({ chunksDone: 0, chunksFailed: 0 });
  expect(cluster.copied).toEqual([]);
});

test("a chunk is uploaded to the node while it drains, by a gateway that did not know yet: it moves too", async () => {
  await cluster.keepMany(20);
  const controller = await cluster.controller();
  await cluster.apply({ kind: "drain", nodeId: 4 }, controller);
  let late: Promise<unknown> | undefined;
  cluster.beforeCopy = async () => void (await (late ??= cluster.keep([1, 2, 4])));
  await cluster.stepUntil("done", controller);
  expect([await cluster.countOn(4), await cluster.fewestCopies()]).toEqual([0, 3]);
});

test("a chunk of this moment is left alone until its last copy has arrived; the drain does not end without it", async () => {
  const id = await cluster.keep([1, 2, 4]);
  await cluster.query("UPDATE chunk SET created_at = now()");
  const controller = await cluster.controller({ settleMs: 60_000 });
  await cluster.apply({ kind: "drain", nodeId: 4 }, controller);
  await controller.step();
  expect(await cluster.replicas(id)).toEqual([1, 2, 4]);
  expect(await cluster.latest()).toMatchObject({ state: "running", blocked: "" });
  await cluster.query("UPDATE chunk SET created_at = now() - interval '61 s'");
  await cluster.stepUntil("done", controller);
});

test("a full node is passed over when another is drained; the rest has room", async () => {
  await cluster.join();
  await cluster.keepMany(30, [1, 2, 4]);
  await cluster.query("UPDATE node SET writable = false WHERE id = 3");
  const controller = await cluster.controller();
  await cluster.apply({ kind: "drain", nodeId: 4 }, controller);
  await cluster.stepUntil("done", controller);
  expect([await cluster.countOn(3), await cluster.countOn(5)]).toEqual([0, 30]);
});

test("a newcomer that is full keeps a spread waiting, in words; nothing is lost meanwhile", async () => {
  await cluster.keepMany(30);
  await cluster.join();
  await cluster.query("UPDATE node SET writable = false WHERE id = 5");
  const controller = await cluster.controller();
  await cluster.apply({ kind: "spread" }, controller);
  await controller.step();
  expect(await cluster.latest()).toMatchObject({ state: "blocked", blocked: "node-5 (full) cannot take copies now." });
  await cluster.query("UPDATE node SET writable = true WHERE id = 5");
  await cluster.stepUntil("done", controller);
  expect(await cluster.fewestCopies()).toBe(3);
});

test("in safemode, and while all healing is paused, nothing moves and the row says why", async () => {
  await cluster.keepMany(10);
  let on = true;
  const controller = await cluster.controller({ safemode: { isOn: () => on, why: () => "The nodes are still being counted." } });
  await cluster.apply({ kind: "drain", nodeId: 4 }, controller);
  await controller.step();
  expect(await cluster.latest()).toMatchObject({ state: "waiting", blocked: "The nodes are still being counted." });
  on = false;
  await cluster.query("UPDATE cluster SET healing_paused = true");
  await controller.step();
  expect(await cluster.latest()).toMatchObject({ state: "waiting", blocked: "Repair and rebalance are paused." });
  expect(cluster.copied).toEqual([]);
  await cluster.query("UPDATE cluster SET healing_paused = false");
  await cluster.stepUntil("done", controller);
});

test("a drain goes before a spread, which says what it waits for and ends afterwards", async () => {
  await cluster.keepMany(60);
  await cluster.join();
  const controller = await cluster.controller();
  const spread = await cluster.apply({ kind: "spread" }, controller);
  const drain = await cluster.apply({ kind: "drain", nodeId: 4 }, controller);
  let seen: unknown;
  cluster.beforeCopy = async ({ count }) => {
    if (count === 0) seen = (await database.pool.query("SELECT state, blocked FROM rebalance WHERE id = $1", [spread.rebalanceId])).rows;
  };
  for (let step = 0; step < 5; step++) await controller.step();
  expect(seen).toEqual([{ state: "waiting", blocked: "Its turn comes after: node-4 is being emptied." }]);
  const { rows } = await database.pool.query("SELECT id, state FROM rebalance ORDER BY id");
  expect(rows).toEqual([
    { id: spread.rebalanceId, state: "done" },
    { id: drain.rebalanceId, state: "done" },
  ]);
  expect([await cluster.countOn(4), await cluster.fewestCopies()]).toEqual([0, 3]);
});

test("two controllers that both believe they lead do no harm", async () => {
  await cluster.keepMany(40);
  const first = await cluster.controller();
  await cluster.apply({ kind: "drain", nodeId: 4 }, first);
  const second = await cluster.controller();
  const seen = watchCopies();
  await Promise.all([first.step(), second.step()]);
  await cluster.stepUntil("done", second);
  expect(seen.fewest).toBe(3);
  expect([await cluster.countOn(4), await cluster.fewestCopies()]).toEqual([0, 3]);
});
