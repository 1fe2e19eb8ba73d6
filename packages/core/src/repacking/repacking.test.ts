import { randomBytes } from "node:crypto";
import { inTransaction } from "@holdfast/db";
import { createTestDatabase, type TestDatabase } from "@holdfast/db/testing";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { type ChunkId, chunkIdFromBytes, chunkIdOf, chunkIdToBytes } from "../chunking/index.ts";
import { DownloadError } from "../download/index.ts";
import { createLogger, limits, MINUTE_MS } from "../kernel/index.ts";
import { createChunkReplicator } from "../replication/index.ts";
import { createStoredCluster, type StoredCluster } from "../testing/index.ts";
import { moveExtents } from "./move-extents.ts";
import { createRepacker, type RepackerOptions } from "./index.ts";

const FILE_BYTES = 1_000;

let database: TestDatabase;
let cluster: StoredCluster;
beforeAll(async () => (database = await createTestDatabase()));
afterAll(() => database.drop());
beforeEach(async () => void (cluster = await createStoredCluster(database)));
afterEach(() => cluster.stop());

interface Pack {
  id: ChunkId;
  contents: Buffer[];
  versionIds: string[];
}

/** Files that came at one moment. */
async function pack(count: number): Promise<Pack> {
  const contents = Array.from({ length: count }, () => randomBytes(FILE_BYTES));
  const id = await cluster.keep({ bytes: Buffer.concat(contents), referred: false });
  const versionIds: string[] = [];
  for (const index of contents.keys()) {
    versionIds.push(await cluster.refer(id, { chunkOffset: index * FILE_BYTES, length: FILE_BYTES }));
  }
  return { id, contents, versionIds };
}

const remove = (...versionIds: string[]) => database.pool.query("DELETE FROM version WHERE id = ANY ($1::uuid[])", [versionIds]);

interface ExtentRow {
  chunkId: ChunkId;
  chunkOffset: number;
  length: number;
}

async function extentOf(versionId: string): Promise<ExtentRow> {
  const { rows } = await database.pool.query<{ id: Buffer; chunkOffset: number; length: number }>(
    `SELECT chunk_id AS id, chunk_offset AS "chunkOffset", length FROM extent WHERE version_id = $1`,
    [versionId],
  );
  const { id, ...place } = rows[0]!;
  return { chunkId: chunkIdFromBytes(id), ...place };
}

/** As every node that holds it has it. */
async function contentsOf(versionId: string): Promise<Buffer[]> {
  const { chunkId, chunkOffset, length } = await extentOf(versionId);
  return cluster.holders(chunkId).map((nodeId) =>
    cluster
      .node(nodeId)
      .store.chunks.get(chunkId)!
      .subarray(chunkOffset, chunkOffset + length),
  );
}

const read: RepackerOptions["read"] = async ({ id, replicas }) => {
  for (const nodeId of replicas) {
    const bytes = await cluster
      .node(nodeId)
      .client.get(id)
      .catch(() => undefined);
    if (bytes !== undefined) return bytes;
  }
  throw new DownloadError("content.unavailable", "no copy", {});
};

/** One look at everything. */
async function repack(changes: Partial<RepackerOptions> = {}): Promise<void> {
  const logger = createLogger("test", "silent");
  const { nodes } = cluster;
  const replicator = createChunkReplicator({ ...nodes, replicas: 3, writeQuorum: 2, patienceMs: 200, logger });
  const repacker = createRepacker({ pool: database.pool, read, replicator, logger, ...changes });
  await repacker.start();
  const { state, reason } = repacker.status();
  await repacker.stop();
  if (state === "failing") throw new Error(reason);
}

test("most files of a pack are deleted: what is left is a chunk of its own on every node, and nothing refers to the pack", async () => {
  const { id, contents, versionIds } = await pack(10);
  const kept = [1, 4, 8];
  await remove(...versionIds.filter((_, index) => !kept.includes(index)));
  await repack();
  const rest = chunkIdOf(Buffer.concat(kept.map((index) => contents[index]!)));
  for (const [place, index] of kept.entries()) {
    expect(await extentOf(versionIds[index]!)).toEqual({ chunkId: rest, chunkOffset: place * FILE_BYTES, length: FILE_BYTES });
    for (const content of await contentsOf(versionIds[index]!)) expect(content.equals(contents[index]!)).toBe(true);
  }
  expect(await cluster.row(rest)).toMatchObject({ state: "live", replicas: [1, 2, 3] });
  expect(cluster.holders(rest)).toEqual([1, 2, 3]);
  expect((await database.pool.query("SELECT FROM extent WHERE chunk_id = $1", [chunkIdToBytes(id)])).rowCount).toBe(0);
  expect(await cluster.row(id)).toMatchObject({ state: "live" }); // it goes the way of all garbage
});

test("the last file of a pack is left: it is a chunk as if it had come alone", async () => {
  const { contents, versionIds } = await pack(5);
  await remove(...versionIds.slice(0, 4));
  await repack();
  expect(await extentOf(versionIds[4]!)).toEqual({ chunkId: chunkIdOf(contents[4]!), chunkOffset: 0, length: FILE_BYTES });
});

test("two versions consist of the same bytes of a pack: both go to the new chunk", async () => {
  const { id, versionIds } = await pack(5);
  const copy = await cluster.refer(id, { chunkOffset: FILE_BYTES, length: FILE_BYTES });
  await remove(versionIds[0]!, ...versionIds.slice(2));
  await repack();
  expect(await extentOf(copy)).toEqual(await extentOf(versionIds[1]!));
  expect((await extentOf(copy)).chunkId).not.toBe(id);
});

test("a pack of which more than half is needed, a chunk that is wholly needed and one that nobody needs are left alone", async () => {
  const { id, versionIds } = await pack(4);
  await remove(versionIds[0]!);
  const whole = await cluster.keep();
  const garbage = await cluster.keep({ referred: false });
  await repack();
  expect((await extentOf(versionIds[1]!)).chunkId).toBe(id);
  const { rows } = await database.pool.query<{ id: Buffer }>("SELECT id FROM chunk");
  expect(new Set(rows.map((row) => chunkIdFromBytes(row.id)))).toEqual(new Set([id, whole, garbage]));
});

test("a pack is on its way out although a file needs it: it is left to whoever brings it back", async () => {
  const { id, versionIds } = await pack(4);
  await remove(...versionIds.slice(1));
  await database.pool.query("UPDATE chunk SET state = 'condemned', condemned_at = now() WHERE id = $1", [chunkIdToBytes(id)]);
  await repack();
  expect((await extentOf(versionIds[0]!)).chunkId).toBe(id);
});

test("no copy of a pack can be read: it waits for the next time, and the others have their turn", async () => {
  const [lost, sound] = [await pack(4), await pack(4)];
  await remove(...lost.versionIds.slice(1), ...sound.versionIds.slice(1));
  for (const { store } of cluster.nodes.all) store.chunks.delete(lost.id);
  await repack();
  expect((await extentOf(lost.versionIds[0]!)).chunkId).toBe(lost.id);
  expect((await extentOf(sound.versionIds[0]!)).chunkId).not.toBe(sound.id);
});

test("too few nodes take what is left: the pack stays what it is", async () => {
  const { id, versionIds } = await pack(4);
  await remove(...versionIds.slice(1));
  for (const nodeId of [2, 3]) cluster.node(nodeId).fault = "full";
  await repack();
  expect((await extentOf(versionIds[0]!)).chunkId).toBe(id);
});

test("a file is deleted while what is left is written anew: the others move, and it is not there again", async () => {
  const { contents, versionIds } = await pack(6);
  await remove(...versionIds.slice(3));
  await repack({
    read: async (chunk, options) => {
      await remove(versionIds[1]!);
      return await read(chunk, options);
    },
  });
  for (const index of [0, 2])
    for (const content of await contentsOf(versionIds[index]!)) expect(content.equals(contents[index]!)).toBe(true);
  expect((await database.pool.query("SELECT FROM extent")).rowCount).toBe(2);
});

test("somebody is about to refer to a pack: nobody waits for him, the other packs have their turn, and this one the next time", async () => {
  const [busy, other] = [await pack(4), await pack(4)];
  await remove(...busy.versionIds.slice(1), ...other.versionIds.slice(1));
  const somebody = await database.pool.connect();
  await somebody.query("BEGIN");
  const { rows } = await somebody.query<{ id: string }>(
    "INSERT INTO version (id, drive_id) SELECT gen_random_uuid(), id FROM drive RETURNING id",
  );
  const copy = rows[0]!.id;
  const values = [copy, FILE_BYTES, chunkIdToBytes(busy.id)];
  await somebody.query(`INSERT INTO extent (version_id, "offset", length, chunk_id) VALUES ($1, 0, $2, $3)`, values);
  await repack();
  await somebody.query("COMMIT");
  somebody.release();
  expect((await extentOf(busy.versionIds[0]!)).chunkId).toBe(busy.id);
  expect((await extentOf(other.versionIds[0]!)).chunkId).not.toBe(other.id);
  await repack();
  expect(await extentOf(copy)).toEqual(await extentOf(busy.versionIds[0]!));
  expect((await extentOf(copy)).chunkId).not.toBe(busy.id);
});

test("a file is being deleted at this moment: the deletion waits for nobody, and the others move", async () => {
  const { id, versionIds } = await pack(6);
  await remove(...versionIds.slice(3));
  const deleting = await database.pool.connect();
  await deleting.query("BEGIN");
  await deleting.query("DELETE FROM version WHERE id = $1", [versionIds[1]]);
  await repack();
  await deleting.query("COMMIT");
  deleting.release();
  const chunks = await Promise.all([0, 2].map((index) => extentOf(versionIds[index]!)));
  for (const { chunkId } of chunks) expect(chunkId).not.toBe(id);
  expect((await database.pool.query("SELECT FROM extent")).rowCount).toBe(2);
});

test("an extent goes beyond its pack: nothing of that pack moves, for nothing can be told from such a row", async () => {
  const { id, versionIds } = await pack(8);
  await remove(...versionIds.slice(3));
  await database.pool.query("UPDATE extent SET chunk_offset = 7500 WHERE version_id = $1", [versionIds[1]]);
  const other = await pack(4);
  await remove(...other.versionIds.slice(1));
  await repack();
  for (const index of [0, 1, 2]) expect((await extentOf(versionIds[index]!)).chunkId).toBe(id);
  expect((await extentOf(other.versionIds[0]!)).chunkId).not.toBe(other.id);
});

test("extents overlap: each gets its own bytes, and a pack of which they say more than there can be disturbs nobody", async () => {
  const { id, contents, versionIds } = await pack(8);
  const half = await cluster.refer(id, { chunkOffset: 0, length: 500 });
  await remove(...versionIds.slice(2));
  const strange = await pack(2);
  await database.pool.query("UPDATE extent SET length = 2000000000 WHERE chunk_id = $1", [chunkIdToBytes(strange.id)]);
  await repack();
  expect((await extentOf(half)).chunkId).not.toBe(id);
  for (const content of await contentsOf(half)) expect(content.equals(contents[0]!.subarray(0, 500))).toBe(true);
  for (const index of [0, 1])
    for (const content of await contentsOf(versionIds[index]!)) expect(content.equals(contents[index]!)).toBe(true);
});

test("a chunk of the greatest length is never looked into: it is a piece of a large file", async () => {
  const id = await cluster.keep({ bytes: Buffer.alloc(limits.chunkBytesMax, 1), referred: false });
  const versionId = await cluster.refer(id, { chunkOffset: 0, length: 10 });
  await repack();
  expect((await extentOf(versionId)).chunkId).toBe(id);
});

test("what is left is said to be older than its copies, never younger: an order to trash them that came between is known", async () => {
  const { versionIds } = await pack(4);
  await remove(...versionIds.slice(1));
  let writtenAt = new Date(0);
  const { nodes } = cluster;
  const inner = createChunkReplicator({ ...nodes, replicas: 3, writeQuorum: 2, patienceMs: 200, logger: createLogger("test", "silent") });
  await repack({
    replicator: {
      async write(id, bytes) {
        writtenAt = (await database.pool.query<{ now: Date }>("SELECT clock_timestamp() AS now")).rows[0]!.now;
        return await inner.write(id, bytes);
      },
    },
  });
  const { rows } = await database.pool.query<{ createdAt: Date }>(
    `SELECT created_at AS "createdAt" FROM chunk ORDER BY created_at DESC LIMIT 1`,
  );
  expect(rows[0]!.createdAt.getTime()).toBeLessThanOrEqual(writtenAt.getTime());
});

test("the collector is at what is left at this moment: nobody waits for him, nothing of it is believed, and nothing moves", async () => {
  const { id, contents, versionIds } = await pack(4);
  await remove(...versionIds.slice(1));
  const rest = chunkIdToBytes(await cluster.keep({ bytes: contents[0]!, referred: false }));
  await database.pool.query("UPDATE chunk SET state = 'condemned', condemned_at = now() WHERE id = $1", [rest]);
  const collector = await database.pool.connect();
  await collector.query("BEGIN");
  await collector.query("UPDATE chunk SET trashing_until = clock_timestamp() + interval '1 minute' WHERE id = $1", [rest]);
  await repack();
  await collector.query("COMMIT");
  collector.release();
  expect((await extentOf(versionIds[0]!)).chunkId).toBe(id);
});

test("copies that were asked for half a day ago prove nothing", async () => {
  const { id, versionIds } = await pack(2);
  const to = { id: await cluster.keep({ referred: false }), length: FILE_BYTES, nodeIds: [1, 2, 3] };
  const moved = [{ offset: 0, length: FILE_BYTES, movedTo: 0 }];
  const asOf = (agoMs: number) => new Date(Date.now() - agoMs);
  const move = (agoMs: number) =>
    inTransaction(database.pool, (tx) => moveExtents(tx, { from: id, moved, to: { ...to, asOf: asOf(agoMs) } }));
  expect(await move(limits.chunkProofMs + MINUTE_MS)).toBe(0);
  expect((await extentOf(versionIds[0]!)).chunkId).toBe(id);
  expect(await move(MINUTE_MS)).toBe(1);
});

test("it is told to stop in the midst of very many chunks: it goes no further", async () => {
  const page = Array.from({ length: 2_000 }, (_, index) => ({ id: Buffer.alloc(32, index), length: 10, keptBytes: 10 }));
  const pool = { query: async () => Promise.resolve({ rows: page }) }; // there is no end of them
  const repacker = createRepacker({ pool: pool as never, read, replicator: undefined as never, logger: createLogger("test", "silent") });
  void repacker.start();
  await new Promise((resolve) => setImmediate(resolve));
  await repacker.stop();
  expect(repacker.status().state).toBe("stopped");
});

test("the copies of what is left were being trashed when the nodes said that they have them: they prove nothing, and nothing moves", async () => {
  const { id, contents, versionIds } = await pack(4);
  await remove(...versionIds.slice(1));
  const rest = await cluster.keep({ bytes: contents[0]!, referred: false });
  await database.pool.query(
    "UPDATE chunk SET state = 'condemned', condemned_at = now(), trashing_until = now() + interval '1 minute', replicas = '{}' WHERE id = $1",
    [chunkIdToBytes(rest)],
  );
  await repack();
  expect((await extentOf(versionIds[0]!)).chunkId).toBe(id);
  await cluster.age(120_000);
  await repack();
  expect((await extentOf(versionIds[0]!)).chunkId).toBe(rest);
  expect(await cluster.row(rest)).toMatchObject({ state: "live", replicas: [1, 2, 3] });
});

test("the database is away: the worker says so", async () => {
  const pool = { query: async () => Promise.reject(new Error("the database is away")) };
  await expect(repack({ pool: pool as never })).rejects.toThrow("the database is away");
});
