import { createTestDatabase, type TestDatabase } from "@holdfast/db/testing";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { type ChunkId, chunkIdToBytes } from "../chunking/index.ts";
import { MINUTE_MS } from "../kernel/index.ts";
import { createManualClock } from "../testing/index.ts";
import type { CopyTask } from "./index.ts";
import { HealingCluster } from "./testing/healing-cluster.ts";

const patiently = { timeout: 10_000, interval: 10 };
const down = { health: "down" } as const;

let database: TestDatabase;
let cluster: HealingCluster;
beforeAll(async () => (database = await createTestDatabase()));
afterAll(() => database.drop());
afterEach(() => cluster.stop());

/** Lets replications through only when told so. */
function gate(): { opened: () => void; arrived: () => number } {
  const open = Promise.withResolvers<void>();
  let arrived = 0;
  cluster.beforeReplication = async () => {
    arrived++;
    await open.promise;
  };
  return { opened: () => open.resolve(), arrived: () => arrived };
}

const wholeAgain = (copies = 3): Promise<void> =>
  vi.waitFor(async () => expect(await cluster.fewestVerified()).toBeGreaterThanOrEqual(copies), patiently);

describe("a node is lost", () => {
  test("one of four: every chunk has three verified copies again, on the three that are left, and the events tell the story", async () => {
    cluster = await HealingCluster.create(database, 4);
    await cluster.keepMany(40, [1, 2, 3]);
    await cluster.keepMany(20, [1, 3, 4]);
    cluster.change(2, down);
    await cluster.heal();
    const repair = await cluster.untilRepairIs("done");
    expect(repair).toMatchObject({ chunksTotal: 40, chunksDone: 40, chunksFailed: 0, bytesTotal: 40_000, bytesDone: 40_000 });
    expect(await cluster.fewestVerified()).toBe(3);
    expect(cluster.replications).toHaveLength(40);
    expect(cluster.replications.every(({ to }) => to === 4)).toBe(true);
    expect(new Set(cluster.replications.map(({ from }) => from[0]))).toEqual(new Set([1, 3]));
    const [began, ended, ...more] = await cluster.messages();
    expect(began).toBe("node-2 is down: 40 chunks (40.0 kB) have one copy too few. Repair began.");
    expect(ended).toMatch(/^All chunks have 3 copies again: 40\.0 kB copied in [0-9.]+ s, every copy read back\.$/);
    expect(more).toEqual([]);
  });

  test("it may come back: nothing is copied while it is awaited, but for a chunk with one copy left", async () => {
    cluster = await HealingCluster.create(database, 4);
    await cluster.keepMany(5, [1, 2, 3]);
    const last = await cluster.keep([2, 3]);
    cluster.change(2, down);
    await cluster.heal({ repairAfterMs: 600_000 });
    await vi.waitFor(async () => expect(await cluster.replicas(last)).toHaveLength(3), patiently);
    const { blocked } = await cluster.untilRepairIs("waiting");
    expect(blocked).toBe("node-2 may come back: a node that is down is awaited for 600 seconds, unless one copy is left.");
    expect(cluster.replications.map(({ id }) => id)).toEqual([last]);

    cluster.change(2, { health: "up" });
    expect((await cluster.untilRepairIs("done")).chunksDone).toBe(1);
    expect(cluster.replications).toHaveLength(1);
  });

  test("in maintenance it is awaited however long it takes", async () => {
    cluster = await HealingCluster.create(database, 4);
    await cluster.keepMany(5, [1, 2, 3]);
    cluster.change(2, { ...down, intent: "maintenance" });
    await cluster.heal();
    expect((await cluster.untilRepairIs("waiting")).blocked).toBe("node-2 is in maintenance; the missing copies are awaited with it.");
    expect(cluster.replications).toEqual([]);
    cluster.change(2, { intent: "active" });
    await cluster.untilRepairIs("done");
  });

  test("one of three: nobody can take a third copy; that is said once, and costs nothing; the node's return closes it", async () => {
    cluster = await HealingCluster.create(database, 3);
    await cluster.keepMany(30, [1, 2, 3]);
    cluster.change(2, down);
    const looks = countCandidateReads();
    await cluster.heal();
    const { why, blocked, chunksTotal } = await cluster.untilRepairIs("blocked");
    expect(why).toBe("node-2 is down: 30 chunks (30.0 kB) have one copy too few.");
    expect(blocked).toBe("No fourth node to take a third copy; it will be whole when node-2 is back, or add a node.");
    expect(chunksTotal).toBe(30);
    const soFar = looks();
    await new Promise((resolve) => setTimeout(resolve, 500)); // fifty steps
    expect(looks() - soFar).toBeLessThan(20);
    expect(await cluster.messages()).toEqual([`${why} ${blocked}`]);

    cluster.change(2, { health: "up" });
    await cluster.untilRepairIs("cancelled");
    expect(cluster.replications).toEqual([]);
    expect((await cluster.messages()).at(-1)).toBe("All chunks have 3 copies again, and nothing had to be copied.");
  });

  test("a fourth node joins three of which one is down: it takes the third copies", async () => {
    cluster = await HealingCluster.create(database, 4);
    cluster.change(4, down);
    await cluster.keepMany(10, [1, 2, 3]);
    cluster.change(2, down);
    await cluster.heal();
    await cluster.untilRepairIs("blocked");
    cluster.change(4, { health: "up" });
    await cluster.untilRepairIs("done");
    expect(await cluster.fewestVerified()).toBe(3);
  });

  test("chunks written a moment ago are left to their gateway", async () => {
    cluster = await HealingCluster.create(database, 5);
    const [settled, settling, alone, bereft] = await Promise.all([
      cluster.keep([1, 2]),
      cluster.keep([1, 2], { ageMs: 0 }),
      cluster.keep([1], { ageMs: 0 }),
      cluster.keep([1, 2, 5], { ageMs: 0 }),
    ]);
    cluster.change(5, down);
    await cluster.heal();
    await cluster.untilRepairIs("done");
    expect(await cluster.replicas(settled)).toHaveLength(3);
    expect(await cluster.replicas(bereft)).toHaveLength(4); // all its copies were there, and one was lost
    expect(await cluster.replicas(alone)).toHaveLength(3);
    expect(await cluster.replicas(settling)).toHaveLength(2);
  });

  test("no copy is within reach: nothing is done, and the repair stays open until the node is back", async () => {
    cluster = await HealingCluster.create(database, 4);
    await cluster.keep([2]);
    cluster.change(2, down);
    await cluster.heal();
    expect((await cluster.untilRepairIs("blocked")).blocked).toBe("1 chunk has no copy within reach, and waits for a node that has one.");
    cluster.change(2, { health: "up" });
    await cluster.untilRepairIs("done");
  });
});

describe("scarcest first", () => {
  test("chunks with one copy left are copied before any with two, wherever they lie in the table", async () => {
    cluster = await HealingCluster.create(database, 5);
    await cluster.keepMany(300, [1, 2, 3]);
    const last = await Promise.all([1, 3, 4, 5].map((left) => cluster.keep([2, left])));
    cluster.change(2, down);
    await cluster.heal();
    await cluster.untilRepairIs("done");
    const turns = last.map((id) => cluster.replications.findLastIndex((replication) => replication.id === id));
    expect(Math.max(...turns)).toBeLessThan(24); // of 308: those that are under way at once
  });

  test("two copies in one zone come before two copies in two", async () => {
    cluster = await HealingCluster.create(database, 5);
    for (const id of [1, 2]) cluster.change(id, { zone: "a" });
    for (const id of [3, 4, 5]) cluster.change(id, { zone: "b" });
    await cluster.keepMany(300, [1, 3]);
    const oneZone = await cluster.keepMany(5, [1, 2]);
    await cluster.heal();
    await cluster.untilRepairIs("done");
    const turns = oneZone.map((id) => cluster.replications.findIndex((replication) => replication.id === id));
    expect(Math.max(...turns)).toBeLessThan(24);
  });

  test("a chunk that comes down to one copy in the middle of a repair is taken next", async () => {
    cluster = await HealingCluster.create(database, 5);
    await cluster.keepMany(400, [1, 2, 3]);
    cluster.change(2, down);
    let urgent: ChunkId | undefined;
    cluster.beforeReplication = async () => {
      if (cluster.replications.length === 60) urgent = await cluster.keep([4]);
      await new Promise((resolve) => setTimeout(resolve, 2));
    };
    await cluster.heal();
    await cluster.untilRepairIs("done");
    const turn = cluster.replications.findIndex(({ id }) => id === urgent);
    expect(turn).toBeGreaterThan(59);
    expect(turn).toBeLessThan(300);
  });
});

describe("a copy goes wrong", () => {
  test("the source is damaged: another gives the chunk, the damaged copy counts no longer, and is replaced as well", async () => {
    cluster = await HealingCluster.create(database, 5);
    const id = await cluster.keep([1, 2, 3]);
    cluster.node(1).store.chunks.get(id)![5]! ^= 1;
    cluster.change(2, down);
    cluster.change(3, { health: "slow" }); // so that node-1 is asked first
    await cluster.heal();
    await cluster.untilRepairIs("done");
    expect(await cluster.fewestVerified()).toBe(3); // perhaps on node-1, too, with good bytes
    expect(await cluster.messages()).toContainEqual(expect.stringMatching(/on node-1 was damaged\. Other copies exist/));
  });

  test("no source is whole: the last one stays in the row, the failure is told, and the others are healed", async () => {
    cluster = await HealingCluster.create(database, 4);
    const lost = await cluster.keep([1, 2]);
    for (const nodeId of [1, 2]) cluster.node(nodeId).store.chunks.get(lost)![5]! ^= 1;
    const fine = await cluster.keep([1, 2]);
    await cluster.heal();
    const { blocked, chunksFailed } = await cluster.untilRepairIs("blocked");
    expect(blocked).toMatch(/^1 chunk could not be copied/);
    expect(chunksFailed).toBe(1);
    expect(await cluster.replicas(fine)).toHaveLength(3);
    expect(await cluster.replicas(lost)).toHaveLength(1);
  });

  test("no source is whole, and none comes: the same is not asked over and over", async () => {
    cluster = await HealingCluster.create(database, 4);
    const lost = await cluster.keep([1, 2]);
    for (const nodeId of [1, 2]) cluster.node(nodeId).store.chunks.get(lost)![5]! ^= 1;
    await cluster.heal({ intervalMs: MINUTE_MS }); // time for one pass
    await cluster.untilRepairIs("blocked");
    expect(cluster.replications.length).toBe(3); // from both; then to two targets, from the one that stays in the row
  });

  test.each(["full", "unreachable"] as const)("the target is %s: another one takes the copy", async (fault) => {
    cluster = await HealingCluster.create(database, 5);
    const ids = await cluster.keepMany(20, [1, 2, 3]);
    cluster.change(2, down);
    cluster.node(4).fault = fault;
    await cluster.heal();
    await cluster.untilRepairIs("done");
    for (const id of ids) expect(await cluster.replicas(id)).toEqual([1, 2, 3, 5]);
    expect(cluster.replications.some(({ to }) => to === 4)).toBe(true);
  });

  test.each([
    ["is condemned", "UPDATE chunk SET state = 'condemned' WHERE id = $1"],
    ["has copies trashed", "UPDATE chunk SET trashing_until = clock_timestamp() + interval '1 minute' WHERE id = $1"],
  ])("the chunk %s while it is copied: the copy is not written down", async (_, fate) => {
    cluster = await HealingCluster.create(database, 4);
    const id = await cluster.keep([1, 2]);
    const { healing } = await cluster.heal({ safemode: { isOn: () => true, why: () => "it is" } });
    cluster.beforeReplication = () => cluster.query(fate, [chunkIdToBytes(id)]);
    expect(await healing.engine.run(copyOf(id, 4), new AbortController().signal)).toEqual({ state: "unwanted" });
    expect(await cluster.replicas(id)).toEqual([1, 2]);
  });

  test("nobody is left to copy from: no node is asked", async () => {
    cluster = await HealingCluster.create(database, 4);
    const id = await cluster.keep([1, 2]);
    const { healing } = await cluster.heal({ safemode: { isOn: () => true, why: () => "it is" } });
    expect(await healing.engine.run(copyOf(id, 4, { from: [] }), new AbortController().signal)).toEqual({ state: "no-source" });
    expect(cluster.replications).toEqual([]);
  });
});

const copyOf = (chunkId: ChunkId, to: number, changes: Partial<CopyTask> = {}): CopyTask => ({
  chunkId,
  length: 1_000,
  from: [1, 2].map((nodeId) => cluster.node(nodeId).snapshot),
  to: cluster.node(to).snapshot,
  why: "",
  copiesLeft: 2,
  ...changes,
});

describe("the node comes back in the middle of its repair", () => {
  test("what is queued is not copied, what is too many is given up, and never are fewer than three copies verified", async () => {
    cluster = await HealingCluster.create(database, 4);
    await cluster.keepMany(200, [1, 2, 3]);
    cluster.change(2, down);
    const { opened, arrived } = gate();
    await cluster.heal();
    await vi.waitFor(() => expect(arrived()).toBeGreaterThan(0), patiently);
    cluster.change(2, { health: "up" });
    opened();
    cluster.beforeTrashing = async () => expect(await cluster.fewestVerified()).toBeGreaterThanOrEqual(3);
    await cluster.untilRepairIs("done");
    expect(cluster.replications.length).toBeLessThan(60); // what was under way
    await vi.waitFor(
      async () => expect([...(await cluster.verifiedCopies()).values()].every((copies) => copies === 3)).toBe(true),
      patiently,
    );
    expect(await cluster.fewestVerified()).toBe(3);
    await vi.waitFor(() => expect(cluster.trashed).toHaveLength(cluster.replications.length), patiently);
  });

  test("one of the copies to keep is damaged: nothing is given up, the damaged one is replaced", async () => {
    cluster = await HealingCluster.create(database, 4);
    const id = await cluster.keep([1, 2, 3, 4]);
    for (const nodeId of [1, 2, 3]) cluster.node(nodeId).store.chunks.get(id)![5]! ^= 1;
    await cluster.heal();
    await wholeAgain();
    expect((await cluster.replicas(id)).length).toBe(3);
  });

  test("copies to keep that cannot be read now prove nothing: nothing is given up", async () => {
    cluster = await HealingCluster.create(database, 4);
    const id = await cluster.keep([1, 2, 3, 4]);
    for (const nodeId of [1, 2]) cluster.node(nodeId).fault = "unreachable";
    await cluster.heal();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await cluster.replicas(id)).toEqual([1, 2, 3, 4]);
    expect(cluster.trashed).toEqual([]);
  });

  test("a gateway writes the surplus copy again while it is being given up: it is taken back from the trash", async () => {
    cluster = await HealingCluster.create(database, 4);
    const id = await cluster.keep([1, 2, 3, 4]);
    cluster.beforeTrashing = () => cluster.query("UPDATE chunk SET replicas = '{1,2,3,4}' WHERE id = $1", [chunkIdToBytes(id)]);
    await cluster.heal({ intervalMs: 60_000 });
    await vi.waitFor(() => expect(cluster.trashed).toHaveLength(1), patiently);
    await vi.waitFor(async () => expect(await cluster.fewestVerified()).toBe(4), patiently);
  });
});

describe("who leads", () => {
  test("a controller that does not lead repairs nothing", async () => {
    cluster = await HealingCluster.create(database, 4);
    await cluster.keepMany(3, [1, 2]);
    const leader = await cluster.lead("leader");
    await cluster.heal({ leadership: await cluster.lead("other", 300) });
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(cluster.replications).toEqual([]);
    expect(await cluster.repairs()).toEqual([]);
    await leader.stop();
    await wholeAgain();
  });

  test("it is replaced in the middle of a repair: what it still does changes nothing, and its successor finishes", async () => {
    cluster = await HealingCluster.create(database, 4);
    const ids = await cluster.keepMany(100, [1, 2]);
    const { opened, arrived } = gate();
    const first = await cluster.heal();
    await vi.waitFor(() => expect(arrived()).toBeGreaterThan(0), patiently);
    await cluster.query("UPDATE lease SET expires_at = clock_timestamp()");
    const successor = await cluster.lead("successor");
    opened();
    await vi.waitFor(() => expect(first.leadership.epoch()).toBeUndefined(), patiently);
    await first.healing.stop();
    for (const id of ids) expect(await cluster.replicas(id)).toEqual([1, 2]);
    expect(cluster.replications.length).toBeLessThan(60); // what was under way

    await cluster.heal({ leadership: successor });
    await cluster.untilRepairIs("done");
    expect(await cluster.fewestVerified()).toBe(3);
  });

  test("a node that heard the successor obeys the one before no more", async () => {
    cluster = await HealingCluster.create(database, 4);
    const id = await cluster.keep([1, 2]);
    const off = { safemode: { isOn: () => true, why: () => "it is" } };
    const first = await cluster.heal(off);
    await cluster.query("UPDATE lease SET expires_at = clock_timestamp()");
    const second = await cluster.heal({ ...off, leadership: await cluster.lead("successor") });
    const { signal } = new AbortController();
    expect(await second.healing.engine.run(copyOf(id, 4), signal)).toMatchObject({ state: "copied" });
    await cluster.node(4).store.delete(id);
    expect(await first.healing.engine.run(copyOf(id, 4), signal)).toEqual({ state: "cancelled" });
    expect(cluster.node(4).store.chunks.has(id)).toBe(false);
  });

  test("it dies in the middle: the next one goes on with the same repair, from the rows alone", async () => {
    cluster = await HealingCluster.create(database, 4);
    await cluster.keepMany(100, [1, 2]);
    const stuck = Promise.withResolvers<void>();
    cluster.beforeReplication = () => (cluster.replications.length > 40 ? stuck.promise : undefined);
    const first = await cluster.heal();
    await vi.waitFor(async () => expect((await cluster.repairs())[0]?.bytesDone).toBeGreaterThan(20_000), patiently);
    const stopped = first.healing.stop();
    stuck.resolve();
    await stopped;
    const { id, state } = (await cluster.repairs())[0]!;
    expect(state).toBe("running");
    cluster.beforeReplication = () => undefined;
    await cluster.heal({ leadership: first.leadership });
    const repair = await cluster.untilRepairIs("done");
    expect(repair.id).toBe(id);
    expect(await cluster.fewestVerified()).toBe(3);
    expect((await cluster.messages()).filter((message) => message.endsWith("Repair began."))).toHaveLength(1);
  });
});

describe("an operator, or safemode, holds it", () => {
  test("paused: chunks with one copy left are repaired all the same, the others when it goes on", async () => {
    cluster = await HealingCluster.create(database, 4);
    const [last, short] = await Promise.all([cluster.keep([1]), cluster.keep([1, 2])]);
    await cluster.query("UPDATE cluster SET healing_paused = true");
    await cluster.heal();
    await vi.waitFor(async () => expect((await cluster.replicas(last)).length).toBe(3), patiently);
    expect((await cluster.untilRepairIs("paused")).blocked).toMatch(/^An operator paused it/);
    expect(await cluster.replicas(short)).toEqual([1, 2]);
    await cluster.query("UPDATE cluster SET healing_paused = false");
    await cluster.untilRepairIs("done");
    expect(await cluster.fewestVerified()).toBe(3);
  });

  test("paused in mid-repair: what waits for its turn is called off", async () => {
    cluster = await HealingCluster.create(database, 4);
    await cluster.keepMany(200, [1, 2]);
    await cluster.query("UPDATE cluster SET healing_bytes_per_sec = 20000");
    await cluster.heal();
    await vi.waitFor(() => expect(cluster.replications.length).toBeGreaterThan(2), patiently);
    await cluster.query("UPDATE cluster SET healing_paused = true");
    await cluster.untilRepairIs("paused");
    const sofar = cluster.replications.length;
    expect(sofar).toBeLessThan(100);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(cluster.replications.length).toBe(sofar);
  });

  test("safemode: nothing is copied or given up until it ends", async () => {
    cluster = await HealingCluster.create(database, 4);
    await cluster.keep([1]);
    await cluster.keep([1, 2, 3, 4]);
    let isOn = true;
    await cluster.heal({ safemode: { isOn: () => isOn, why: () => "Too few nodes have reported." } });
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect([cluster.replications, cluster.trashed]).toEqual([[], []]);
    isOn = false;
    await cluster.untilRepairIs("done");
    await vi.waitFor(() => expect(cluster.trashed).toHaveLength(1), patiently);
  });

  test("limited to a rate, it keeps to it; a last copy does not wait", async () => {
    cluster = await HealingCluster.create(database, 4);
    const { healing } = await cluster.heal({ safemode: { isOn: () => true, why: () => "it is" } });
    await cluster.query("UPDATE cluster SET healing_bytes_per_sec = 1000");
    await vi.waitFor(() => expect(healing.view()?.orders.bytesPerSecondMax).toBe(1_000), patiently);
    const ids = await cluster.keepMany(4, [1, 2]);
    const { signal, ...control } = abortable();
    const slow = ids.slice(0, 3).map((id) => healing.engine.run(copyOf(id, 4), signal));
    expect(await healing.engine.run(copyOf(ids[3]!, 4, { copiesLeft: 1, length: 1_000 }), signal)).toMatchObject({ state: "copied" });
    expect(cluster.replications.length).toBeLessThanOrEqual(2); // the first of the slow ones, and the urgent one
    control.abort();
    expect((await Promise.all(slow)).filter(({ state }) => state === "cancelled").length).toBeGreaterThanOrEqual(2);
  });
});

function abortable(): { signal: AbortSignal; abort: () => void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}

function countCandidateReads(): () => number {
  const spy = vi.spyOn(database.pool, "query");
  return () => spy.mock.calls.filter(([text]) => typeof text === "string" && text.includes("ORDER BY id LIMIT")).length;
}

test("users are there: copies begin one after the other, at the pace that is allowed, and not all at once", async () => {
  cluster = await HealingCluster.create(database, 4);
  await cluster.keepMany(20, [1, 2]);
  await cluster.query("INSERT INTO gateway (id, read_ms, write_ms, seen_at) VALUES (gen_random_uuid(), 5, 20, now() + interval '1 h')");
  const clock = createManualClock();
  await cluster.heal({ clock });
  await vi.waitFor(() => expect(cluster.replications).toHaveLength(1), patiently);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(cluster.replications).toHaveLength(1);
  await cluster.query("TRUNCATE gateway");
  await cluster.untilRepairIs("done");
});

test("many nodes copy to many, and none is overrun", async () => {
  cluster = await HealingCluster.create(database, 8);
  await cluster.keepMany(150, [1, 2]);
  const { opened, arrived } = gate();
  await cluster.heal();
  await vi.waitFor(() => expect(arrived()).toBe(4), patiently); // two from each of the two that have something to give
  const underWay = cluster.replications.flatMap(({ from, to }) => [`from ${from[0]}`, `to ${to}`]);
  const count = (place: string): number => underWay.filter((other) => other === place).length;
  expect([count("from 1"), count("from 2")]).toEqual([2, 2]);
  for (const to of [3, 4, 5, 6, 7, 8]) expect(count(`to ${to}`)).toBeLessThanOrEqual(2);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(arrived()).toBe(4);
  opened();
  await cluster.untilRepairIs("done");
});

test("one node gives to one other no more than a few at a time", async () => {
  cluster = await HealingCluster.create(database, 4);
  await cluster.keepMany(30, [1, 2, 3]);
  for (const id of [2, 3]) cluster.change(id, down);
  const { opened, arrived } = gate();
  await cluster.heal();
  await vi.waitFor(() => expect(arrived()).toBe(2), patiently);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(arrived()).toBe(2);
  opened();
  await vi.waitFor(async () => expect(await cluster.fewestVerified()).toBe(2), patiently);
});
