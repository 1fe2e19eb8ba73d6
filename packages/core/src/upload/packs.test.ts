import { randomBytes } from "node:crypto";
import { createTestDatabase, type TestDatabase } from "@holdfast/db/testing";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { ChunkBuffers } from "../byte-budget/index.ts";
import { type ChunkId, chunkIdOf } from "../chunking/index.ts";
import { createLogger, KiB, MiB } from "../kernel/index.ts";
import { createChunkReplicator } from "../replication/index.ts";
import { createTestNodes, type TestNodes } from "../testing/index.ts";
import { createChunkLookup } from "./known-chunks.ts";
import { createLateReplicas } from "./late-replicas.ts";
import { createRecentTime } from "./recent-time.ts";
import { createPacker, type StoreContent, type StoredContent } from "./packs.ts";

const BUFFER_BYTES = 32 * MiB;

let database: TestDatabase;
let nodes: TestNodes;
let buffers: ChunkBuffers;
let store: StoreContent;
/** The database does not answer what is asked about it. */
let unknowable: ChunkId | undefined;
/** By the database's clock, when the last copy was asked for. */
let writtenAt: Date;
beforeAll(async () => (database = await createTestDatabase()));
afterAll(() => database.drop());
beforeEach(() => void (store = packer()));

function packer({ chunkBytes = 4 * MiB, bufferBytes = BUFFER_BYTES } = {}): StoreContent {
  const { pool } = database;
  const logger = createLogger("test", "silent");
  nodes = createTestNodes(3);
  buffers = new ChunkBuffers(bufferBytes);
  const replicator = createChunkReplicator({ ...nodes, replicas: 3, writeQuorum: 2, patienceMs: 200, logger });
  const lookUp = createChunkLookup(pool, nodes.membership);
  return createPacker({
    lookUp: async (id, copiesMin) => {
      if (id === unknowable) throw new Error("no answer");
      return await lookUp(id, copiesMin);
    },
    recentTime: createRecentTime(pool),
    replicator: { ...replicator, write: async (id, bytes) => ((writtenAt = await databaseTime()), await replicator.write(id, bytes)) },
    lateReplicas: createLateReplicas({ pool, logger }),
    buffers,
    chunkBytes,
  });
}

const databaseTime = async () => (await database.pool.query<{ now: Date }>("SELECT clock_timestamp() AS now")).rows[0]!.now;
const attempts = () => nodes.all.reduce((sum, node) => sum + node.attempts, 0);

/** Contents that come at one moment, each in a buffer of its own. */
function storeAll(contents: readonly Buffer[], driveOf: (index: number) => string = () => "drive"): Promise<StoredContent[]> {
  return Promise.all(
    contents.map((bytes, index) => {
      const buffer = buffers.tryAcquire(bytes.length)!;
      bytes.copy(buffer.bytes);
      return store(driveOf(index), buffer);
    }),
  );
}

const some = (count: number, length: number) => Array.from({ length: count }, () => randomBytes(length));
const idsOf = (stored: readonly StoredContent[]) => new Set(stored.map(({ chunk }) => chunk.id));

/** What each node holds where the content is said to be. */
function copiesOf({ chunk, chunkOffset }: StoredContent, { length }: Buffer): Buffer[] {
  return nodes.all.map(({ store }) => store.chunks.get(chunk.id)!.subarray(chunkOffset, chunkOffset + length));
}

test("thirty small contents come at one moment: they are one chunk on each node, and each is found in it", async () => {
  const contents = Array.from({ length: 30 }, (_, index) => randomBytes(1 + 500 * index));
  const stored = await storeAll(contents);
  expect(idsOf(stored).size).toBe(1);
  expect(nodes.all.map(({ attempts }) => attempts)).toEqual([1, 1, 1]);
  for (const [index, content] of stored.entries()) {
    expect(content.chunk.copies).toBe(3);
    for (const copy of copiesOf(content, contents[index]!)) expect(copy.equals(contents[index]!)).toBe(true);
  }
});

test("more come than one pack takes: no pack is as long as a chunk can be", async () => {
  const stored = await storeAll(some(130, 64 * KiB));
  const lengths = [...new Map(stored.map(({ chunk }) => [chunk.id, chunk.length])).values()];
  expect(lengths.toSorted((a, b) => b - a)).toEqual([60, 60, 10].map((contents) => contents * 64 * KiB));
  for (const length of lengths) expect(length).toBeLessThan(4 * MiB);
});

test.each([
  ["one that comes alone", 1, 100, 4 * MiB],
  ["what is not small", 3, 64 * KiB + 1, 4 * MiB],
  ["what is not small beside the chunks of this cluster", 3, 2 * KiB, 64 * KiB],
])("%s is a chunk by itself", async (_what, count, length, chunkBytes) => {
  store = packer({ chunkBytes });
  const stored = await storeAll(some(count, length));
  expect(idsOf(stored).size).toBe(count);
  expect(stored.map(({ chunk, chunkOffset }) => [chunk.length, chunkOffset])).toEqual(stored.map(() => [length, 0]));
});

test("contents of two drives never share a chunk", async () => {
  const stored = await storeAll(some(10, 100), (index) => (index % 2 === 0 ? "mine" : "yours"));
  const [mine, yours] = [0, 1].map((rest) => idsOf(stored.filter((_, index) => index % 2 === rest)));
  expect([mine!.size, yours!.size]).toEqual([1, 1]);
  expect(mine!.isDisjointFrom(yours!)).toBe(true);
});

test("there is no memory for a pack: each content is stored from where it lies", async () => {
  store = packer({ bufferBytes: 10 * 4 * KiB });
  const stored = await storeAll(some(10, 4 * KiB));
  expect(idsOf(stored).size).toBe(10);
});

test("too few nodes take a pack: all of it is refused, and its memory is free again", async () => {
  for (const node of nodes.all.slice(1)) node.fault = "unreachable";
  await expect(storeAll(some(5, 100))).rejects.toMatchObject({ name: "ReplicationError" });
  expect(buffers.usedBytes).toBe(0);
});

test("the last copy of a pack comes late: its memory is held until then, and the copy is known", async () => {
  nodes.all[2]!.fault = "hanging";
  const [first] = await storeAll(some(5, 100));
  expect(first!.chunk.nodeIds).toHaveLength(2);
  expect(buffers.usedBytes).toBeGreaterThan(0);
  nodes.all[2]!.fault = "none";
  await first!.chunk.settled;
  expect(first!.chunk.nodeIds).toHaveLength(3);
  await vi.waitFor(() => expect(buffers.usedBytes).toBe(0));
});

test("a pack is said to be older than its copies, never younger: an order to trash them that came between is known", async () => {
  for (let time = 0; time < 3; time++) {
    const [{ chunk }] = (await storeAll(some(2, 100))) as [StoredContent, StoredContent];
    expect(chunk.asOf.getTime()).toBeLessThanOrEqual(writtenAt.getTime());
    expect(writtenAt.getTime() - chunk.asOf.getTime()).toBeLessThan(2_000);
  }
});

test("the nodes take their time: what comes meanwhile does not wait for the pack before, and what comes alone does not either", async () => {
  for (const node of nodes.all) node.fault = "hanging";
  const first = storeAll(some(2, 100));
  await vi.waitFor(() => expect(attempts()).toBe(3));
  const others = storeAll(some(150, 100));
  await vi.waitFor(() => expect(attempts()).toBe(12)); // 60, 60 and 30
  const last = storeAll(some(1, 100));
  await vi.waitFor(() => expect(attempts()).toBe(15));
  for (const node of nodes.all) node.fault = "none";
  await Promise.all([first, others, last]);
});

test("there is no memory for a pack, and one content is refused: the others are stored", async () => {
  store = packer({ bufferBytes: 3 * 4 * KiB });
  const contents = some(3, 4 * KiB);
  unknowable = chunkIdOf(contents[1]!);
  const outcomes = await Promise.allSettled(contents.map((bytes) => storeAll([bytes])));
  expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
});
