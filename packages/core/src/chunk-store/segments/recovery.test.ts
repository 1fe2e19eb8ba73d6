/** What a start makes of what the last process left, however it ended. */
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { chunkIdOf, type ChunkId } from "../../chunking/index.ts";
import { MiB, PAGE_BYTES } from "../../kernel/index.ts";
import type { SegmentChunkStore, SegmentChunkStoreOptions } from "../index.ts";
import { DATA_AT, EVENT_BYTES } from "./layout.ts";
import {
  change,
  damageChunk,
  leftBehind,
  openStore,
  putAll,
  segmentFile,
  someChunk,
  systemError,
  type TestChunk,
  watched,
} from "./testing/index.ts";

let scratch: string;
let root: string;
const opened: SegmentChunkStore[] = [];
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), "holdfast-segments-"));
  root = join(scratch, "node");
  mkdirSync(root);
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((store) => store.close()));
  rmSync(scratch, { recursive: true, force: true });
});

async function open(directory: string, options: Partial<SegmentChunkStoreOptions> = {}): Promise<SegmentChunkStore> {
  const store = await openStore(directory, options);
  opened.push(store);
  return store;
}

/** Of the held chunks; each is read, and so verified. */
async function wholeIds(store: SegmentChunkStore): Promise<ChunkId[]> {
  const ids = (await store.list(undefined, 1_000)).map(({ id }) => id);
  for (const id of ids) await store.get(id);
  return ids;
}

const idsOf = (chunks: readonly TestChunk[]): ChunkId[] => chunks.map(({ id }) => id).toSorted();

test.each(["closed", "killed"])(
  "a process that was %s: every chunk is found, in segments that are full and in one that is not",
  async (end) => {
    const store = await open(root);
    const chunks = [someChunk(1), someChunk(4 * MiB), someChunk(70_000), someChunk(4 * MiB), someChunk(4_096)];
    await putAll(store, chunks);
    if (end === "closed") await store.close();
    const again = await open(end === "closed" ? root : leftBehind(root));
    expect(await wholeIds(again)).toEqual(idsOf(chunks));
    expect(await again.stats()).toMatchObject({ chunkCount: 5, usedBytes: 8 * MiB + 70_000 + 4_097 });
  },
);

test.each([
  ["of which not even the header came down", (bytes: Buffer, at: number) => bytes.fill(0, at - EVENT_BYTES, at + 10_000)],
  ["of which only the header came down", (bytes: Buffer, at: number) => bytes.fill(0, at, at + 10_000)],
  ["of which half came down", (bytes: Buffer, at: number) => bytes.fill(0, at + 5_000, at + 10_000)],
])("a record %s, before acknowledged ones: those are found, and what is put later is, too", async (_case, tear) => {
  const store = await open(root);
  const [first, torn, last] = [someChunk(), someChunk(), someChunk()];
  await putAll(store, [first, torn, last]);
  const { offset } = (await store.locate(torn.id))!;
  const left = leftBehind(root);
  change(segmentFile(left, 1), (bytes) => tear(bytes, offset));

  const again = await open(left);
  expect(await wholeIds(again)).toEqual(idsOf([first, last]));
  const later = someChunk();
  await putAll(again, [later]);
  expect(await wholeIds(await open(leftBehind(left)))).toEqual(idsOf([first, last, later]));
});

test("what a killed process left in the page cache is made durable before it counts: records and marks", async () => {
  const store = await open(root);
  const { id, bytes } = someChunk();
  await store.put(id, bytes);
  await store.trash([id]);
  const left = leftBehind(root);
  const synced: string[] = [];
  const again = await open(left, { fileSystem: watched(({ kind, path }) => void (kind === "sync" && synced.push(path))) });
  expect(synced).toEqual(expect.arrayContaining([segmentFile(left, 1), segmentFile(left, 1, ".marks")]));
  expect(await again.trash([id])).toEqual([id]);
});

test("a torn record at the very end is never half overwritten: what follows it does not hide in it", async () => {
  const store = await open(root);
  const [first, torn] = [someChunk(), someChunk(2 * MiB)];
  await putAll(store, [first, torn]);
  const { offset } = (await store.locate(torn.id))!;
  const left = leftBehind(root);
  change(segmentFile(left, 1), (bytes) => bytes.fill(0, offset, offset + MiB));
  const again = await open(left);
  const later = [someChunk(), someChunk(), someChunk()];
  await putAll(again, later);
  expect(await wholeIds(await open(leftBehind(left)))).toEqual(idsOf([first, ...later]));
});

test("a chunk made to look like a record is not taken for one", async () => {
  const store = await open(root);
  const model = someChunk(1_000);
  await putAll(store, [model]);
  const { path, offset } = (await store.locate(model.id))!;
  let record = Buffer.alloc(0);
  change(path, (bytes) => (record = Buffer.from(bytes.subarray(offset - EVENT_BYTES, offset + 1_024))));
  const disguise = Buffer.concat(Array.from({ length: 20 }, () => record));
  const disguised = { id: chunkIdOf(disguise), bytes: disguise };
  const last = someChunk();
  await putAll(store, [disguised, last]);
  await store.delete(model.id);
  const at = (await store.locate(disguised.id))!.offset;
  const left = leftBehind(root);
  change(segmentFile(left, 1), (bytes) => bytes.fill(0, at - EVENT_BYTES, at));
  expect(await wholeIds(await open(left))).toEqual(idsOf([last]));
});

test("half a mark and a damaged one are no marks; those around them count", async () => {
  const store = await open(root);
  const chunks = [someChunk(), someChunk(), someChunk()];
  await putAll(store, chunks);
  for (const { id } of chunks) await store.trash([id]);
  const left = leftBehind(root);
  const marks = segmentFile(left, 1, ".marks");
  change(marks, (bytes) => (bytes[EVENT_BYTES + 20]! ^= 1));
  appendFileSync(marks, Buffer.alloc(30, 7));

  const again = await open(left);
  expect(await wholeIds(again)).toEqual(idsOf([chunks[1]!]));
  expect((await again.listTrash(undefined, 10)).map(({ id }) => id)).toEqual(idsOf([chunks[0]!, chunks[2]!]));
  await again.trash([chunks[1]!.id]);
  expect(await (await open(leftBehind(left))).listTrash(undefined, 10)).toHaveLength(3);
});

test.each(["its last line", "one of its records"])("a footer that rotted in %s: the segment is read through instead", async (where) => {
  const store = await open(root);
  const chunks = [someChunk(), someChunk(4 * MiB), someChunk(4 * MiB)];
  await putAll(store, chunks);
  await store.close();
  change(segmentFile(root, 1), (bytes) => (bytes[bytes.length - (where === "its last line" ? 20 : EVENT_BYTES + 20)]! ^= 1));
  expect(await wholeIds(await open(root))).toEqual(idsOf(chunks));
});

test("a full segment of many small records, begun before the process died: its footer lists every one of them", async () => {
  const before = Array.from({ length: 100 }, () => someChunk(100));
  const after = Array.from({ length: 100 }, () => someChunk(100));
  await putAll(await open(root), before);
  const left = leftBehind(root);
  const store = await open(left);
  await putAll(store, [...after, someChunk(4 * MiB), someChunk(4 * MiB), someChunk(4 * MiB), someChunk(4 * MiB)]);
  await store.close();
  change(segmentFile(left, 1), (bytes) => bytes.fill(0, DATA_AT, MiB)); // where a scan would look for them
  const listed = (await (await open(left)).list(undefined, 1_000)).filter(({ length }) => length === 100);
  expect(listed.map(({ id }) => id)).toEqual(idsOf([...before, ...after]));
});

test.each([0, PAGE_BYTES])("a bad sector in one page of a segment's header, at %i, costs nothing", async (at) => {
  const store = await open(root);
  const chunks = [someChunk(), someChunk()];
  await putAll(store, chunks);
  await store.close();
  change(segmentFile(root, 1), (bytes) => bytes.fill(0, at, at + PAGE_BYTES));
  expect(await wholeIds(await open(root))).toEqual(idsOf(chunks));
});

test("a segment whose header is gone for good is left alone and told of; the others serve", async () => {
  const store = await open(root);
  const chunks = [someChunk(4 * MiB), someChunk(4 * MiB)];
  await putAll(store, chunks);
  await store.close();
  change(segmentFile(root, 1), (bytes) => bytes.fill(0, 0, 2 * PAGE_BYTES));
  const again = await open(root);
  expect(await wholeIds(again)).toEqual(idsOf([chunks[1]!]));
  expect(await again.stats()).toMatchObject({ foreignFiles: 1 });
  await putAll(again, [chunks[0]!]);
  expect(await wholeIds(again)).toEqual(idsOf(chunks));
});

test.each(["ended", "unended"])("sectors of a segment, %s, that cannot be read cost what lies in them, and not the start", async (end) => {
  const store = await open(root);
  const [first, hurt, last] = [someChunk(), someChunk(200_000), someChunk()];
  await putAll(store, [first, hurt, last, ...(end === "ended" ? [someChunk(4 * MiB), someChunk(4 * MiB)] : [])]);
  const { offset } = (await store.locate(hurt.id))!;
  await store.close();
  const fileSystem = watched(({ kind, path, position, length }) => {
    const bad = [0, offset, ...(end === "ended" ? [statSync(path).size - EVENT_BYTES] : [])];
    const isHit = bad.some((at) => position <= at && at < position + length);
    if (kind === "read" && path === segmentFile(root, 1) && isHit) throw systemError("EIO");
  });
  const again = await open(root, { fileSystem });
  for (const { id, bytes } of [first, last]) expect((await again.get(id)).equals(bytes)).toBe(true);
  expect(await again.stat(hurt.id)).toBeUndefined();
});

test("a segment that was not finished is removed", async () => {
  const store = await open(root);
  await putAll(store, [someChunk()]);
  await store.close();
  const unfinished = segmentFile(root, 77, ".new");
  writeFileSync(unfinished, "half");
  await open(root);
  expect(existsSync(unfinished)).toBe(false);
});

test("what was lost to damage is listed in pages, across restarts, until it is put again", async () => {
  const store = await open(root);
  const chunks = [someChunk(), someChunk(), someChunk()].toSorted((one, other) => (one.id < other.id ? -1 : 1));
  const ids = chunks.map(({ id }) => id);
  await putAll(store, chunks);
  for (const { id } of chunks) {
    await damageChunk(store, id);
    await expect(store.get(id)).rejects.toMatchObject({ code: "chunk.corrupt" });
  }
  const left = leftBehind(root);
  const again = await open(left);
  expect((await again.lost(undefined, 2)).map(({ id }) => id)).toEqual(ids.slice(0, 2));
  expect(await again.lost(ids[1], 2)).toMatchObject([{ id: ids[2] }]);
  await again.put(ids[0]!, chunks[0]!.bytes);
  expect((await again.lost(undefined, 10)).map(({ id }) => id)).toEqual(ids.slice(1));
  const third = await open(leftBehind(left));
  expect((await third.lost(undefined, 10)).map(({ id }) => id)).toEqual(ids.slice(1));
  expect(await wholeIds(third)).toEqual(idsOf([chunks[0]!]));
});
