import { randomBytes } from "node:crypto";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { chunkIdOf } from "../chunking/index.ts";
import { KiB, limits, systemClock } from "../kernel/index.ts";
import { createNodeStandings } from "../node-standing/index.ts";
import { createTestNodes } from "../testing/index.ts";
import { createChunkReader } from "./chunk-reader.ts";
import type { StoredChunk } from "./extents.ts";
import { HotChunks } from "./hot-chunks.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

const FILE_BYTES = 4 * KiB;
const FILES_MAX = 60;
const PACK_BYTES = FILES_MAX * FILE_BYTES;
/** Room for two packs that are recent, six that are proven, and the names of four. */
const EIGHT_PACKS = 8 * PACK_BYTES;

function setting({ bytesMax }: { bytesMax?: number } = {}) {
  const nodes = createTestNodes(1);
  const node = nodes.all[0]!;
  const reader = createChunkReader({
    ...nodes,
    standings: createNodeStandings({ ...nodes, clock: systemClock }),
    onBadCopy: () => undefined,
  });
  const hot = new HotChunks(reader, { bytesMax });

  const store = async (length = PACK_BYTES) => {
    const bytes = randomBytes(length);
    const chunk: StoredChunk = { id: chunkIdOf(bytes), length, replicas: [node.snapshot.id] };
    await node.store.put(chunk.id, bytes);
    return { chunk, bytes };
  };
  const read = (chunk: StoredChunk, { signal = new AbortController().signal, into }: { signal?: AbortSignal; into?: Buffer } = {}) =>
    hot.read(chunk, { signal, into });
  const partOf = (file: number) => ({ from: file * FILE_BYTES, to: (file + 1) * FILE_BYTES });
  const fileOf = (bytes: Buffer, file: number) => bytes.subarray(partOf(file).from, partOf(file).to);
  const readFile = (chunk: StoredChunk, file: number) => hot.read(chunk, { part: partOf(file), signal: new AbortController().signal });
  /** Every file of so many packs, once: a pass that nobody makes again. */
  const readOnce = async (packs: number) => {
    for (let pack = 0; pack < packs; pack++) {
      const { chunk } = await store();
      for (let file = 0; file < FILES_MAX; file++) await readFile(chunk, file);
    }
  };
  /** Asks for it until it is recent, lets it make way for others, and asks once more. */
  const prove = async (chunk: StoredChunk) => {
    for (let file = 0; file < 2; file++) await readFile(chunk, file);
    await readOnce(2);
    await readFile(chunk, 0);
  };
  /** How many of these a node is asked for. */
  const asked = async (...chunks: StoredChunk[]) => {
    const before = node.reads;
    for (const chunk of chunks) await readFile(chunk, 0);
    return node.reads - before;
  };
  return { node, reader, hot, store, read, readFile, fileOf, readOnce, prove, asked };
}

test("sixty small files that came together are read one after the other: a node is asked twice", async () => {
  const { node, hot, store, readFile, fileOf } = setting();
  const { chunk, bytes } = await store();
  for (let file = 0; file < FILES_MAX; file++) expect(await readFile(chunk, file)).toEqual(fileOf(bytes, file));
  expect([node.reads, node.parts, hot.counts().hotReads]).toEqual([2, 1, FILES_MAX - 2]);
});

test("sixty readers at the same moment: one of them fetches all of it, the others wait for nobody", async () => {
  const { node, store, readFile, fileOf, asked } = setting();
  const { chunk, bytes } = await store();
  const files = await Promise.all(Array.from({ length: FILES_MAX }, (_, file) => readFile(chunk, file)));
  files.forEach((file, index) => expect(file).toEqual(fileOf(bytes, index)));
  expect([node.reads, node.parts]).toEqual([FILES_MAX, FILES_MAX - 1]);
  expect(await asked(chunk)).toBe(0);
});

test("somebody reads every file of a hundred packs: what others read again and again stays", async () => {
  const { store, readOnce, prove, asked } = setting({ bytesMax: EIGHT_PACKS });
  const { chunk: favourite } = await store();
  await prove(favourite);
  await readOnce(100);
  expect(await asked(favourite)).toBe(0);
});

test("recent chunks make way in the order of coming, however often they are asked for meanwhile", async () => {
  const { store, readOnce, readFile, asked } = setting({ bytesMax: EIGHT_PACKS });
  const { chunk: first } = await store();
  for (let file = 0; file < FILES_MAX; file++) await readFile(first, file);
  await readOnce(1);
  expect(await asked(first)).toBe(0);
  await readOnce(1);
  expect(await asked(first)).toBe(1);
});

test("more is proven than there is room for: what was not asked for longest makes way", async () => {
  const { store, prove, asked } = setting({ bytesMax: EIGHT_PACKS });
  const chunks = await Promise.all(Array.from({ length: 7 }, async () => (await store()).chunk));
  const [oldest, second, ...others] = chunks;
  for (const chunk of chunks.slice(0, -1)) await prove(chunk);
  expect(await asked(oldest!)).toBe(0);
  await prove(chunks.at(-1)!);
  expect(await asked(oldest!, ...others)).toBe(0);
  expect(await asked(second!)).toBe(1);
});

test("more than there is room for is read over and over: no more is fetched than is asked for, for none of it would stay", async () => {
  const { node, store, readFile } = setting({ bytesMax: EIGHT_PACKS });
  const packs = await Promise.all(Array.from({ length: 5 }, async () => (await store()).chunk));
  for (let pass = 0; pass < 3; pass++) for (const pack of packs) await readFile(pack, pass);
  expect([node.reads, node.parts]).toEqual([15, 15]);
});

test("what was proven made way for others: it is asked for as anything else, and pushes nothing out by coming back once", async () => {
  const { node, store, prove, asked } = setting({ bytesMax: EIGHT_PACKS });
  const packs = await Promise.all(Array.from({ length: 7 }, async () => (await store()).chunk));
  for (const pack of packs) await prove(pack);
  const [madeWay, ...others] = packs;
  const partsBefore = node.parts;
  expect(await asked(madeWay!)).toBe(1);
  expect(node.parts - partsBefore).toBe(1);
  expect(await asked(...others)).toBe(0);
});

test("memory rots before the checks of a chunk are made: it is read anew, and not kept", async () => {
  const { reader, store, readFile, fileOf, asked } = setting();
  const { chunk, bytes } = await store();
  await readFile(chunk, 0);
  const read = reader.read.bind(reader);
  reader.read = async (...wish) => {
    reader.read = read;
    const rotten = await read(...wish);
    rotten[77]! ^= 1;
    return rotten;
  };
  expect(await readFile(chunk, 0)).toEqual(fileOf(bytes, 0));
  expect(await asked(chunk, chunk)).toBe(1);
});

test("thousands of short chunks are kept among much other work: in memory are they, and not what was beside them", async () => {
  const { store, read } = setting();
  const between = (): unknown[] => Array.from({ length: 32 }, () => Buffer.allocUnsafe(KiB));
  const chunks = await Promise.all(Array.from({ length: 1_000 }, async () => (await store(FILE_BYTES)).chunk));
  collect();
  const before = process.memoryUsage().arrayBuffers;
  for (const chunk of chunks) {
    for (let count = 0; count < 2; count++) await read(chunk);
    between();
  }
  collect();
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 * chunks.length * FILE_BYTES);
});

test.each(["recent", "proven"])(
  "a bit flips in memory, where a %s chunk is: its block is read from a node again, and the bit reaches nobody",
  async (how) => {
    const { node, store, readFile, fileOf, prove } = setting({ bytesMax: EIGHT_PACKS });
    const { chunk, bytes } = await store();
    const [damagedFile, soundFile] = [40, 3];
    const get = node.client.get.bind(node.client);
    let kept: Buffer = Buffer.alloc(0);
    node.client.get = async (id, options) => (kept = await get(id, options));
    if (how === "proven") await prove(chunk);
    else for (let file = 0; file < 2; file++) await readFile(chunk, file);
    kept[damagedFile * FILE_BYTES + 77]! ^= 1;

    const before = node.reads;
    expect(await readFile(chunk, soundFile)).toEqual(fileOf(bytes, soundFile));
    expect(node.reads).toBe(before);
    for (let count = 0; count < 4; count++) expect(await readFile(chunk, damagedFile)).toEqual(fileOf(bytes, damagedFile));
    expect(node.reads).toBe(before + 2);
  },
);

test("a reader changes what it got: the next one gets what was stored", async () => {
  const { node, store, read } = setting();
  const { chunk, bytes } = await store(FILE_BYTES);
  for (let count = 0; count < 4; count++) {
    const answer = await read(chunk);
    expect(answer).toEqual(bytes);
    answer.fill(0);
  }
  expect(node.reads).toBe(2);
});

test("the reader's own memory is used, and the chunk is not kept there", async () => {
  const { node, store, read } = setting();
  const { chunk, bytes } = await store(FILE_BYTES);
  for (let count = 0; count < 4; count++) {
    const into = Buffer.alloc(FILE_BYTES);
    expect((await read(chunk, { into })).buffer).toBe(into.buffer);
    expect(into).toEqual(bytes);
    into.fill(0);
  }
  expect(node.reads).toBe(2);
});

test("the reader who fetches all of it leaves: nobody else is disturbed, and the next one fetches it", async () => {
  const { node, store, read } = setting();
  const { chunk, bytes } = await store(FILE_BYTES);
  await read(chunk);
  node.fault = "hanging";
  const leaving = new AbortController();
  const left = read(chunk, { signal: leaving.signal });
  const other = read(chunk);
  leaving.abort(new Error("gone"));
  await expect(left).rejects.toThrow("gone");
  node.fault = "none";
  expect(await other).toEqual(bytes);
  await read(chunk);
  const before = node.reads;
  expect(await read(chunk)).toEqual(bytes);
  expect(node.reads).toBe(before);
});

test("no node answers: readers are told so, and what is kept does not make way for what does not come", async () => {
  const { node, store, read, readOnce, asked } = setting({ bytesMax: EIGHT_PACKS });
  const { chunk: kept } = await store();
  for (let count = 0; count < 2; count++) await read(kept);
  node.fault = "unreachable";
  for (let count = 0; count < 10; count++) {
    const { chunk } = await store(FILE_BYTES);
    for (let again = 0; again < 2; again++) await expect(read(chunk)).rejects.toMatchObject({ code: "content.unavailable" });
  }
  expect(await asked(kept)).toBe(0);
  node.fault = "none";
  await readOnce(1);
  expect(await asked(kept)).toBe(0);
});

test("a node hangs under whole chunks: a few are under way at once, and whoever comes then gets no more than it asked for", async () => {
  const { node, store, readFile } = setting();
  const chunks = await Promise.all(Array.from({ length: limits.hotChunksUnderWayMax + 10 }, async () => (await store()).chunk));
  for (const chunk of chunks) await readFile(chunk, 0);
  const partsBefore = node.parts;
  node.fault = "hanging";
  const reads = chunks.map((chunk) => readFile(chunk, 1));
  expect(node.parts - partsBefore).toBe(10);
  node.fault = "none";
  await Promise.all(reads);
});

test("a long chunk is read from its node each time", async () => {
  const { store, asked } = setting();
  const { chunk } = await store(limits.hotChunkBytesMax + 1);
  expect(await asked(...Array.from({ length: 4 }, () => chunk))).toBe(4);
});

test("tiny chunks by the thousands are asked for again: no more are kept than have a place, however short they are", async () => {
  const { node, store, read } = setting();
  const chunks = await Promise.all(Array.from({ length: limits.hotChunksMax + 1 }, async () => (await store(16)).chunk));
  for (const chunk of chunks) for (let count = 0; count < 2; count++) await read(chunk);
  const before = node.reads;
  await read(chunks.at(-1)!);
  expect(node.reads).toBe(before);
  await read(chunks[0]!);
  expect(node.reads).toBe(before + 1);
});
