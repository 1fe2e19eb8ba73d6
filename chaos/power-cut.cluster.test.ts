/** The promise beneath all others: what a node has acknowledged is there after its power was cut in the same moment. */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import type { LocalChunkStore } from "@holdfast/core/chunk-store";
import { storeKinds } from "@holdfast/core/chunk-store/testing/stores";
import { type ChunkId, chunkIdOf } from "@holdfast/core/chunking";
import { KiB, MiB } from "@holdfast/core/kernel";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { LoopDisk } from "./faults/loop-disk.ts";

const WRITES = 200;
const isRoot = process.getuid?.() === 0;

let scratch: string;
let disk: LoopDisk;
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), "holdfast-power-"));
  if (isRoot) disk = new LoopDisk(join(scratch, "image"), join(scratch, "disk"), 256 * MiB);
});
afterEach(() => {
  if (isRoot) disk.unmount();
  rmSync(scratch, { recursive: true, force: true });
});

describe.skipIf(!isRoot).each(Object.entries(storeKinds))("the power of a %s store is cut", (_name, kind) => {
  test.each<[string, (chunks: readonly Chunk[], put: (chunk: Chunk) => Promise<void>) => Promise<unknown>]>([
    ["one after the other", (chunks, put) => chunks.reduce((before, chunk) => before.then(() => put(chunk)), Promise.resolve())],
    ["all at once", (chunks, put) => Promise.all(chunks.map(put))],
  ])(`after ${WRITES} chunks were acknowledged, %s: all of them are there, whole`, async (_how, write) => {
    const store = await kind.open(disk.directory);
    const chunks = Array.from({ length: WRITES }, (_, index) => someChunk(4 * KiB + index));
    await write(chunks, async ({ id, bytes }) => void (await store.put(id, bytes)));
    await cutPower(store);
    const reopened = await kind.open(disk.directory);
    expect(await missing(reopened, chunks)).toEqual([]);
    await reopened.close();
  });

  test("large chunks were acknowledged, in segments that were made for such, and small ones between them: all are there, whole", async () => {
    const store = await kind.open(disk.directory);
    const chunks = Array.from({ length: 80 }, (_, index) => someChunk(index % 4 === 3 ? 5 * KiB : 1 * MiB));
    await Promise.all(chunks.map(({ id, bytes }) => store.put(id, bytes)));
    await cutPower(store);
    const reopened = await kind.open(disk.directory);
    expect(await missing(reopened, chunks)).toEqual([]);
    await reopened.close();
  });

  test("in the middle of a compaction: what is held is there, what was trashed stays out of sight and comes back whole", async () => {
    const store = await kind.open(disk.directory);
    const chunks = Array.from({ length: 60 }, (_, index) => someChunk(40 * KiB + index));
    await Promise.all(chunks.map(({ id, bytes }) => store.put(id, bytes)));
    const [trashed, deleted, held] = [chunks.slice(0, 10), chunks.slice(10, 40), chunks.slice(40)];
    await store.trash(idsOf(trashed));
    for (const { id } of deleted) await store.delete(id);
    const compaction = Promise.resolve(kind.compact?.(store)).catch(() => undefined); // its disk is about to be gone
    await hasMoved(store, trashed[0]!.id, compaction);
    await cutPower(store, compaction);

    const reopened = await kind.open(disk.directory);
    expect(await missing(reopened, held)).toEqual([]);
    expect((await reopened.listTrash(undefined, 100)).map(({ id }) => id)).toEqual(idsOf(trashed).toSorted());
    expect(await missing(reopened, trashed)).toEqual(idsOf(trashed));
    expect(await reopened.restore(idsOf(trashed))).toEqual(idsOf(trashed));
    expect(await missing(reopened, trashed)).toEqual([]);
    await reopened.close();
  });
});

interface Chunk {
  id: ChunkId;
  bytes: Buffer;
}

function someChunk(length: number): Chunk {
  const bytes = randomBytes(length);
  return { id: chunkIdOf(bytes), bytes };
}

function idsOf(chunks: readonly Chunk[]): ChunkId[] {
  return chunks.map(({ id }) => id);
}

/** Resolves as soon as compaction has moved the chunk, or is over. */
async function hasMoved(store: LocalChunkStore, id: ChunkId, compaction: Promise<unknown>): Promise<void> {
  const before = await store.locate(id);
  const over = compaction.then(() => "over");
  while (isDeepStrictEqual(await store.locate(id), before) && (await Promise.race([over, nextTurn("")])) !== "over");
}

async function cutPower(store: LocalChunkStore, underWay?: Promise<unknown>): Promise<void> {
  disk.cutPower();
  await underWay;
  await store.close();
  disk.unmount();
  disk.mount();
}

async function missing(store: LocalChunkStore, chunks: readonly Chunk[]): Promise<ChunkId[]> {
  const lost: ChunkId[] = [];
  for (const { id, bytes } of chunks) {
    const read = await store.get(id).catch(() => undefined);
    if (read === undefined || !read.equals(bytes)) lost.push(id);
  }
  return lost;
}
