/** Space that is won back, and nothing else lost or brought back by it. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { KiB, MiB } from "../../kernel/index.ts";
import type { SegmentChunkStore, SegmentChunkStoreOptions } from "../index.ts";
import { damageChunk, leftBehind, openStore, putAll, someChunk, systemError, type TestChunk, watched } from "./testing/index.ts";

const SEGMENT_BYTES = 1 * MiB;

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
  const store = await openStore(directory, { segmentBytes: SEGMENT_BYTES, ...options });
  opened.push(store);
  return store;
}

const COMPACTING = { compactionIntervalMs: 1 };
const segmentsOf = (directory: string): string[] => readdirSync(join(directory, "segments")).filter((name) => name.endsWith(".seg"));
/** A third of a segment each. */
const someChunks = (count: number): TestChunk[] => Array.from({ length: count }, () => someChunk(300 * KiB));

/** Fills segments, then leaves of each but the first of every three chunks. */
async function thinnedOut(store: SegmentChunkStore): Promise<{ kept: TestChunk[]; gone: TestChunk[] }> {
  const chunks = someChunks(30);
  await putAll(store, chunks);
  const kept = chunks.filter((_chunk, index) => index % 3 === 0);
  const gone = chunks.filter((_chunk, index) => index % 3 !== 0);
  for (const { id } of gone) await store.delete(id);
  return { kept, gone };
}

async function heldBy(store: SegmentChunkStore): Promise<string[]> {
  return (await store.list(undefined, 1_000)).map(({ id }) => id);
}

async function expectExactly(store: SegmentChunkStore, chunks: readonly TestChunk[]): Promise<void> {
  expect(await heldBy(store)).toEqual(chunks.map(({ id }) => id).toSorted());
  for (const { id, bytes } of chunks) expect((await store.get(id)).equals(bytes)).toBe(true);
}

test("the space of deleted chunks goes to new ones and back to the disk; the others stay, over restarts", async () => {
  const store = await open(root, COMPACTING);
  const { kept } = await thinnedOut(store);
  await vi.waitFor(() => expect(segmentsOf(root).length).toBeLessThanOrEqual(10), { timeout: 20_000 });
  await expectExactly(store, kept);
  await store.close();
  await expectExactly(await open(root), kept);
});

test("a chunk in the trash is moved, not forgotten, and keeps its time", async () => {
  const store = await open(root, COMPACTING);
  const [trashed, ...others] = someChunks(4);
  await putAll(store, [trashed!, ...others]);
  await store.trash([trashed!.id]);
  const before = await store.listTrash(undefined, 10);
  const at = (await store.locate(trashed!.id))!;
  for (const { id } of others) await store.delete(id);
  await vi.waitFor(async () => expect(await store.locate(trashed!.id)).not.toEqual(at), { timeout: 20_000 });
  const again = await open(leftBehind(root));
  expect(await again.listTrash(undefined, 10)).toEqual(before);
  expect(await again.restore([trashed!.id])).toEqual([trashed!.id]);
  await expectExactly(again, [trashed!]);
});

test("a chunk that rotted is found out when it is to be moved, and stays lost when its segment is gone", async () => {
  const store = await open(root, COMPACTING);
  const [rotten, ...others] = someChunks(7);
  await putAll(store, [rotten!, ...others]);
  await damageChunk(store, rotten!.id);
  for (const { id } of others.slice(0, 2)) await store.delete(id);
  await vi.waitFor(async () => expect(await store.lost(undefined, 10)).toMatchObject([{ id: rotten!.id }]), { timeout: 20_000 });
  await vi.waitFor(() => expect(segmentsOf(root)).not.toContain("00000001.seg"), { timeout: 20_000 });
  const left = leftBehind(root);
  const again = await open(left);
  expect(await again.lost(undefined, 10)).toMatchObject([{ id: rotten!.id }]);
  await expectExactly(again, others.slice(2));
  await putAll(again, [rotten!]);
  await again.delete(rotten!.id);
  expect(await (await open(leftBehind(left))).lost(undefined, 10)).toEqual([]);
});

test("a record rotted before its segment was ended, and only a mark knows of it: it is lost, and what was beside it never comes back", async () => {
  const dying = await open(root);
  const [rotten, moved, deleted, ...others] = someChunks(12);
  await putAll(dying, [rotten!, moved!, deleted!]);
  await dying.trash([rotten!.id]);
  await dying.restore([rotten!.id]);
  await damageChunk(dying, rotten!.id);
  const left = leftBehind(root);

  const heir = await open(left);
  await putAll(heir, others);
  await heir.delete(deleted!.id);
  await heir.compact();
  expect(await heir.lost(undefined, 10)).toMatchObject([{ id: rotten!.id }]);
  expect(segmentsOf(left)).not.toContain("00000001.seg");
  for (const { id } of [moved!, ...others]) await heir.delete(id);
  await heir.compact();
  await expectExactly(await open(leftBehind(left)), []);
});

test("killed with chunks copied and no segment given away yet: each is there once, and deleted it never comes back", async () => {
  const thinned = await open(root);
  const { kept } = await thinnedOut(thinned);
  await thinned.close();
  let left: string | undefined;
  const fileSystem = watched(({ kind, path, position }) => {
    if (kind === "write" && position === 0 && path.endsWith(".seg")) left ??= leftBehind(root); // the header of a second generation
  });
  await open(root, { ...COMPACTING, fileSystem });
  await vi.waitFor(() => expect(left).toBeDefined(), { timeout: 20_000 });

  const heir = await open(left!, COMPACTING);
  await expectExactly(heir, kept);
  const [last, ...others] = kept;
  for (const { id } of others) await heir.delete(id);
  await vi.waitFor(() => expect(segmentsOf(left!).length).toBeLessThanOrEqual(7), { timeout: 20_000 });
  await expectExactly(await open(leftBehind(left!)), [last!]);
});

test("what is decided of chunks while they are moved is what holds after a kill", async () => {
  const store = await open(root, COMPACTING);
  const { kept } = await thinnedOut(store);
  const [deleted, trashed, restored, ...rest] = kept;
  await Promise.all([store.delete(deleted!.id), store.trash([trashed!.id]), store.trash([restored!.id])]);
  await store.restore([restored!.id]);
  await vi.waitFor(() => expect(segmentsOf(root).length).toBeLessThanOrEqual(10), { timeout: 20_000 });
  const again = await open(leftBehind(root));
  await expectExactly(again, [restored!, ...rest]);
  expect(await again.listTrash(undefined, 10)).toMatchObject([{ id: trashed!.id }]);
});

test("what is decided of chunks while the first copy is being written outlives the segments they were in", async () => {
  let onWrite: (() => void) | undefined;
  const store = await open(root, { fileSystem: watched(({ kind, path }) => kind === "write" && path.endsWith(".seg") && onWrite?.()) });
  const { kept } = await thinnedOut(store);
  const [deleted, trashed] = [kept.slice(0, 5), kept.slice(5).map(({ id }) => id)];
  const decided = new Promise((resolve) => {
    onWrite = () => {
      onWrite = undefined;
      resolve(Promise.all([...deleted.map(({ id }) => store.delete(id)), store.trash(trashed)]));
    };
  });
  await Promise.all([store.compact(), decided]);
  const again = await open(leftBehind(root));
  await expectExactly(again, []);
  expect((await again.listTrash(undefined, 10)).map(({ id }) => id)).toEqual(trashed.toSorted());
});

test("of two equal records that a kill left, neither comes back when the chunk is deleted and the other one's segment is gone", async () => {
  let left: string | undefined;
  let isCompacting = false;
  const fileSystem = watched(({ kind, path, position }) => {
    if (isCompacting && kind === "write" && position === 0 && path.endsWith(".seg")) left ??= leftBehind(root); // a segment is about to be given away
  });
  const store = await open(root, { fileSystem });
  const { kept } = await thinnedOut(store);
  isCompacting = true;
  await store.compact();
  expect(left).toBeDefined();

  const heir = await open(left!);
  await expectExactly(heir, kept);
  for (const { id } of kept) await heir.delete(id);
  await heir.compact();
  await expectExactly(await open(leftBehind(left!)), []);
});

test("chunks are read while they are moved", async () => {
  const store = await open(root, COMPACTING);
  const { kept } = await thinnedOut(store);
  while (segmentsOf(root).length > 10) for (const { id, bytes } of kept) expect((await store.get(id)).equals(bytes)).toBe(true);
  await expectExactly(store, kept);
});

test("a full store takes chunks again as soon as some are deleted", async () => {
  let made = 0;
  const fileSystem = watched(({ kind, path }) => {
    if (kind === "create" && path.endsWith(".new") && ++made > 6) throw systemError("ENOSPC");
  });
  const store = await open(root, { fileSystem });
  const held: TestChunk[] = [];
  const fill = async (): Promise<void> => {
    for (const chunk of someChunks(30)) {
      await store.put(chunk.id, chunk.bytes);
      held.push(chunk);
    }
  };
  await expect(fill()).rejects.toMatchObject({ code: "store.full" });
  expect(held.length).toBeGreaterThan(10);
  const gone = held.filter((_chunk, index) => index % 3 !== 0);
  for (const { id } of gone) await store.delete(id);
  const later = someChunks(5);
  await putAll(store, later);
  await expectExactly(store, [...held.filter((chunk) => !gone.includes(chunk)), ...later]);
});

test("on a full disk a large segment is copied half, time and again: as chunks elsewhere are deleted, it gets through", async () => {
  const before = await open(root, { segmentBytes: 16 * MiB });
  const old = someChunks(48);
  await putAll(before, old);
  await before.close();
  for (const name of segmentsOf(root).slice(1)) rmSync(join(root, "segments", name)); // spares that would take it all
  let isFull = false;
  let halves = 0;
  const fileSystem = watched(({ kind, path }) => {
    if (isFull && kind === "create" && path.endsWith(".new")) throw systemError("ENOSPC");
  });
  const store = await open(root, { fileSystem });
  await putAll(store, someChunks(6));
  for (const { id } of old.filter((_chunk, index) => index % 4 === 0)) await store.delete(id);
  isFull = true;
  const unfinished = () => readdirSync(join(root, "segments")).filter((name) => name.endsWith(".new"));
  await vi.waitFor(() => expect(unfinished()).toEqual([]), { timeout: 10_000 }); // or it would go while it is copied
  const left = new Map(old.filter((_chunk, index) => index % 4 !== 0).map((chunk) => [chunk.id, chunk]));
  const inTheFirst = async (): Promise<TestChunk[]> => {
    const places = await Promise.all([...left.values()].map(async (chunk) => ({ chunk, place: await store.locate(chunk.id) })));
    return places.flatMap(({ chunk, place }) => (place!.path.endsWith("00000001.seg") ? [chunk] : []));
  };
  const afterAKill = async (): Promise<string[]> => {
    const heir = await open(leftBehind(root));
    return (await heldBy(heir)).filter((id) => old.some((chunk) => chunk.id === id));
  };
  for (let round = 0; round < 30 && (await inTheFirst()).length > 0; round++) {
    const staying = new Set(await inTheFirst());
    for (const chunk of [...left.values()].filter((each) => !staying.has(each))) {
      await store.delete(chunk.id);
      left.delete(chunk.id);
    }
    await store.compact().catch(() => halves++);
    expect(await afterAKill()).toEqual([...left.keys()].toSorted());
  }
  expect(halves).toBeGreaterThan(1);
  expect(await inTheFirst()).toEqual([]);
});
