import { randomBytes } from "node:crypto";
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ChunkBuffers } from "../../byte-budget/index.ts";
import { type ChunkId, chunkIdOf } from "../../chunking/index.ts";
import { createLogger, GiB, HOUR_MS, limits } from "../../kernel/index.ts";
import { FileChunkStore, type LocalChunkStore, MigratingChunkStore, moveChunks, openChunkStore, SegmentChunkStore } from "../index.ts";
import { describeChunkStore, describeChunkTrash } from "../testing/index.ts";

const logger = createLogger("test", "silent");
const FULL_DISK = { reserveBytes: 1024 * 1024 * GiB };

let root: string;
let leave: (() => Promise<void>)[];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "holdfast-migration-"));
  leave = [];
});
afterEach(async () => {
  for (const step of leave.toReversed()) await step();
  rmSync(root, { recursive: true });
});

interface Migrating {
  files: FileChunkStore;
  segments: SegmentChunkStore;
  store: MigratingChunkStore;
}

async function openMigrating(directory = root, settings = {}): Promise<Migrating> {
  const options = { directory, reserveBytes: 0, logger, ...settings };
  const files = await FileChunkStore.open(options);
  const segments = await SegmentChunkStore.open(options);
  return { files, segments, store: await MigratingChunkStore.open(files, segments) };
}

/** Chunks get where `place` puts those that nobody has yet; everything else is asked of the migrating store. */
function subject(place: (migrating: Migrating, id: ChunkId, bytes: Buffer) => Promise<{ stored: boolean }>) {
  return async () => {
    const directory = mkdtempSync(join(tmpdir(), "holdfast-migration-"));
    const migrating = await openMigrating(directory);
    const { store } = migrating;
    const put = store.put.bind(store);
    store.put = async (id, bytes) => {
      const isKnown = (await store.locate(id)) !== undefined || bytes.length === 0 || bytes.length > limits.chunkBytesMax;
      return isKnown ? put(id, bytes) : place(migrating, id, bytes);
    };
    return {
      store,
      trash: store,
      damage: (id: ChunkId) => flipBit(store, id),
      damageTrashed: (id: ChunkId) => flipBit(store, id),
      drop: () => store.close().then(() => rmSync(directory, { recursive: true })),
    };
  };
}

const halfAcross = subject(async ({ files, store }, id, bytes) => {
  const result = await files.put(id, bytes);
  if (result.stored && id < "8") await store.moveOn(id);
  return result;
});

describeChunkStore("a store that migrates, half of its chunks across,", halfAcross);
describeChunkTrash("a store that migrates, half of its chunks across,", halfAcross);

test("everything goes across as it was: held, in the trash since then, lost; and the files are gone", async () => {
  const files = await FileChunkStore.open({ directory: root, reserveBytes: 0, logger });
  const [held, trashed] = [await putSome(files, 40), await putSome(files, 10)];
  await files.trash(trashed.map(({ id }) => id));
  const trashedAt = await files.listTrash(undefined, 100);
  await files.close();

  const store = await migrateAll();
  expect(await store.stats()).toMatchObject({ chunkCount: 40, usedBytes: 40 * 10_000 });
  for (const { id, bytes } of held) expect((await store.get(id)).equals(bytes)).toBe(true);
  expect(await store.listTrash(undefined, 100)).toEqual(trashedAt);
  expect(await store.restore([trashed[0]!.id])).toEqual([trashed[0]!.id]);
  expect(readdirSync(root)).toEqual(["segments"]);
  expect(await store.progress()).toBeUndefined();
  await store.close();
  leave.pop();

  const again = await openChunkStore("segment", { directory: root, reserveBytes: 0, logger });
  leave.push(() => again.close());
  expect(again).toBeInstanceOf(SegmentChunkStore);
  expect(await again.stats()).toMatchObject({ chunkCount: 41 });
});

test("a chunk that rotted in its file is not carried on as if it were whole: it is lost, and known to be until it is put again", async () => {
  const files = await FileChunkStore.open({ directory: root, reserveBytes: 0, logger });
  const [damaged] = (await putSome(files, 5)) as [Chunk];
  await flipBit(files, damaged.id);
  await files.close();

  const { store } = await open();
  for await (const { id } of store.left()) await store.moveOn(id);
  const lost = await store.lost(undefined, 10);
  expect(lost).toMatchObject([{ id: damaged.id }]);
  expect(await store.finish()).toBe(true);
  expect(readdirSync(root)).toEqual(["segments"]);
  await store.close();
  leave.pop();

  const again = await openChunkStore("segment", { directory: root, reserveBytes: 0, logger });
  leave.push(() => again.close());
  expect(await again.lost(undefined, 10)).toEqual(lost);
  await again.put(damaged.id, damaged.bytes);
  expect(await again.lost(undefined, 10)).toEqual([]);
});

test("a process died when a chunk was in both: what the segments know is true, and the file goes", async () => {
  const first = await open();
  const [moved, trashedSince] = (await putSome(first.files, 2)) as [Chunk, Chunk];
  const leftBehind = [moved, trashedSince].map(({ id }) => join(root, "chunks", id.slice(0, 2), `${id}.chunk`));
  for (const path of leftBehind) copyFileSync(path, `${path}.kept`);
  for (const { id } of [moved, trashedSince]) await first.store.moveOn(id);
  await first.store.trash([trashedSince.id]);
  await first.store.close();
  leave.pop();
  for (const path of leftBehind) copyFileSync(`${path}.kept`, path);

  const { store, files } = await open();
  expect(await files.stats()).toMatchObject({ chunkCount: 0 });
  expect(leftBehind.filter((path) => existsSync(path))).toEqual([]);
  expect(await store.list(undefined, 10)).toEqual([{ id: moved.id, length: moved.bytes.length }]);
  expect(await store.listTrash(undefined, 10)).toMatchObject([{ id: trashedSince.id }]);
  expect((await store.get(moved.id)).equals(moved.bytes)).toBe(true);
});

test("while chunks go across each is found by every reader, is on one page of every list, and counts once", async () => {
  const files = await FileChunkStore.open({ directory: root, reserveBytes: 0, logger });
  const chunks = await putSome(files, 150);
  const ids = chunks.map(({ id }) => id).toSorted();
  await files.close();
  const { store } = await open();
  const moved = new AbortController();
  const moving = (async () => {
    for await (const { id } of store.left()) await store.moveOn(id);
    expect(await store.finish()).toBe(true);
    moved.abort();
  })();
  const reading = async (): Promise<void> => {
    for (let round = 0; !moved.signal.aborted; round++) {
      const { id, bytes } = chunks[round % chunks.length]!;
      expect((await store.get(id)).equals(bytes)).toBe(true);
      expect(await store.stat(id)).toBeDefined();
    }
  };
  const listing = async (): Promise<void> => {
    for (let limit = 1; !moved.signal.aborted; limit = (limit % 50) + 7) {
      const listed: ChunkId[] = [];
      for (let page = await store.list(undefined, limit); page.length > 0; page = await store.list(listed.at(-1), limit)) {
        expect(page.length).toBeLessThanOrEqual(limit);
        listed.push(...page.map(({ id }) => id));
      }
      expect(listed).toEqual(ids);
      await nextTurn(); // lists from memory alone would leave nobody else a turn
    }
  };
  await Promise.all([moving, reading(), reading(), listing()]);
  expect(await store.stats()).toMatchObject({ chunkCount: 150, usedBytes: 150 * 10_000 });
});

test("a chunk that goes across between two questions is found all the same", async () => {
  const { store, files } = await open();
  const chunks = (await putSome(files, 2)) as [Chunk, Chunk];
  const get = files.get.bind(files);
  const stat = files.stat.bind(files);
  files.get = async (id, options) => {
    files.get = get;
    await store.moveOn(id);
    return files.get(id, options);
  };
  expect((await store.get(chunks[0].id)).equals(chunks[0].bytes)).toBe(true);
  files.stat = async (id) => {
    files.stat = stat;
    await store.moveOn(id);
    return files.stat(id);
  };
  expect(await store.stat(chunks[1].id)).toEqual({ id: chunks[1].id, length: 10_000 });
});

test("what is trashed and restored while the last chunks go across is not left behind in a file", async () => {
  const files = await FileChunkStore.open({ directory: root, reserveBytes: 0, logger });
  const ids = (await putSome(files, 30)).map(({ id }) => id);
  await files.close();
  const { store } = await open();
  const done = new AbortController();
  const flipping = (async () => {
    while (!done.signal.aborted) {
      await store.trash(ids);
      await store.restore(ids);
    }
  })();
  while (!done.signal.aborted) {
    for await (const { id } of store.left()) await store.moveOn(id);
    if (await store.finish()) done.abort();
  }
  await flipping;
  expect((await store.list(undefined, 100)).map(({ id }) => id)).toEqual(ids.toSorted());
  expect(readdirSync(root)).toEqual(["segments"]);
});

test("a full disk: what is there is read, put again, trashed, restored and purged, and nothing moves before there is room", async () => {
  const roomy = await FileChunkStore.open({ directory: root, reserveBytes: 0, logger });
  const [first, second] = (await putSome(roomy, 2)) as [Chunk, Chunk];
  await roomy.close();
  const { store } = await open(FULL_DISK);
  await expect(store.moveOn(first.id)).rejects.toMatchObject({ code: "store.full" });
  expect(await store.put(first.id, first.bytes)).toEqual({ stored: false });
  await expect(store.put(chunkIdOf(Buffer.from("new")), Buffer.from("new"))).rejects.toMatchObject({ code: "store.full" });
  expect(await store.trash([first.id, second.id])).toEqual([first.id, second.id]);
  expect(await store.put(first.id, first.bytes)).toEqual({ stored: true });
  expect(await store.restore([second.id])).toEqual([second.id]);
  await store.trash([second.id]);
  expect(await store.purgeTrash(HOUR_MS)).toEqual({ chunks: 0, bytes: 0 });
  expect(await store.purgeTrash(0)).toEqual({ chunks: 1, bytes: 10_000 });
  expect((await store.get(first.id)).equals(first.bytes)).toBe(true);
});

test("somebody else's files among the chunks stay where they are", async () => {
  const files = await FileChunkStore.open({ directory: root, reserveBytes: 0, logger });
  await putSome(files, 3);
  await files.close();
  writeFileSync(join(root, "chunks/ab/notes.txt"), "mine");
  await migrateAll();
  expect(readdirSync(root)).toEqual(["chunks", "segments"]);
  expect(readdirSync(join(root, "chunks"))).toEqual(["ab"]);
  expect(readFileSync(join(root, "chunks/ab/notes.txt"), "utf8")).toBe("mine");
});

async function open(settings = {}): Promise<Migrating> {
  const migrating = await openMigrating(root, settings);
  leave.push(() => migrating.store.close());
  return migrating;
}

/** As a node does it. */
async function migrateAll(): Promise<MigratingChunkStore> {
  const { store } = await open();
  const stop = moveChunks({ store, memory: new ChunkBuffers(limits.nodeScrubBytes), pace: async () => undefined, logger });
  await expect.poll(() => store.progress(), { timeout: 20_000 }).toBeUndefined();
  await expect.poll(() => existsSync(join(root, "incoming")), { timeout: 20_000 }).toBe(false);
  await stop();
  return store;
}

interface Chunk {
  id: ChunkId;
  bytes: Buffer;
}

async function putSome(store: LocalChunkStore, count: number): Promise<Chunk[]> {
  const chunks = Array.from({ length: count }, () => randomBytes(10_000)).map((bytes) => ({ id: chunkIdOf(bytes), bytes }));
  await Promise.all(chunks.map(({ id, bytes }) => store.put(id, bytes)));
  return chunks;
}

async function flipBit(store: LocalChunkStore, id: ChunkId): Promise<void> {
  const { path, offset } = (await store.locate(id))!;
  const bytes = readFileSync(path);
  bytes[offset]! ^= 1;
  writeFileSync(path, bytes);
}
