/** A part of a chunk on a disk that rots, tears, misplaces and swaps: told when it is right, else not told at all. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { KiB, limits, MiB, PAGE_BYTES } from "../../kernel/index.ts";
import { BLOCK_BYTES } from "../chunk-part.ts";
import { EVENT_BYTES } from "./layout.ts";
import { type PlacedFile, type SegmentFileSystem, segmentFileSystem } from "./placed-file.ts";
import type { SegmentChunkStore } from "./segment-chunk-store.ts";
import { change, type DiskStep, openStore, putAll, someChunk, systemError, type TestChunk, watched } from "./testing/index.ts";

const BLOCKS = 5;
const LENGTH = BLOCKS * BLOCK_BYTES;
/** What of a record is read for the checks of such a chunk: its event, a seal and the checks. */
const HEADER_BYTES = EVENT_BYTES + 16 + BLOCKS * 4;

let root: string;
let store: SegmentChunkStore;
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), "holdfast-parts-"));
  store = await openStore(root);
});
afterEach(async () => {
  await store.close();
  rmSync(root, { recursive: true });
});

const block = (index: number) => ({ from: index * BLOCK_BYTES, to: (index + 1) * BLOCK_BYTES });

/** Which blocks the store tells; each that it tells is right. */
async function told({ id, bytes }: TestChunk): Promise<number[]> {
  const indexes: number[] = [];
  for (let index = 0; index < bytes.length / BLOCK_BYTES; index++) {
    const { from, to } = block(index);
    const part = await store.getPart(id, { from, to: Math.min(to, bytes.length) });
    if (part === undefined) continue;
    expect(part.equals(bytes.subarray(from, to))).toBe(true);
    indexes.push(index);
  }
  return indexes;
}

/** Changes the disk from the chunk's first byte on; its record's header is the page before. */
async function changeAt({ id }: TestChunk, by: (file: Buffer, at: number) => void): Promise<void> {
  const { path, offset } = (await store.locate(id))!;
  change(path, (file) => by(file, offset));
}

/** Files that do some things in another way. */
function changed(change: (file: PlacedFile) => Partial<PlacedFile>): SegmentFileSystem {
  return {
    async open(path, options) {
      const file = await segmentFileSystem.open(path, options);
      return {
        read: (into, position) => file.read(into, position),
        write: (parts, position) => file.write(parts, position),
        allocate: (bytes) => file.allocate(bytes),
        sync: () => file.sync(),
        close: () => file.close(),
        ...change(file),
      };
    },
  };
}

test("a part costs the disk its blocks and the checks, and no more", async () => {
  await store.close();
  const reads: DiskStep[] = [];
  store = await openStore(root, { fileSystem: watched((step) => void (step.kind === "read" && reads.push(step))) });
  const chunk = someChunk(limits.chunkBytesMax);
  await store.put(chunk.id, chunk.bytes);
  reads.length = 0;
  const part = await store.getPart(chunk.id, { from: 100 * KiB, to: 150 * KiB });
  expect(part!.equals(chunk.bytes.subarray(100 * KiB, 150 * KiB))).toBe(true);
  expect(reads.map(({ length }) => length)).toEqual([expect.any(Number), 2 * BLOCK_BYTES]);
  expect(reads[0]!.length).toBeLessThan(PAGE_BYTES);

  reads.length = 0;
  const another = await store.getPart(chunk.id, { from: 1 * MiB, to: 1 * MiB + 1 });
  expect(another!.equals(chunk.bytes.subarray(1 * MiB, 1 * MiB + 1))).toBe(true);
  expect(reads.map(({ length }) => length)).toEqual([BLOCK_BYTES]); // the checks are known by now
});

test("checks that are known vouch for nothing that is not there: what rots after the first part is not told", async () => {
  const chunk = someChunk(LENGTH);
  await store.put(chunk.id, chunk.bytes);
  expect(await told(chunk)).toEqual([0, 1, 2, 3, 4]);
  await changeAt(chunk, (file, at) => (file[at + 3 * BLOCK_BYTES + 77]! ^= 4));
  expect(await told(chunk)).toEqual([0, 1, 2, 4]);
  await store.delete(chunk.id);
  expect(await told(chunk)).toEqual([]);
});

test("one bit flips: its block is not told, the others are; read whole, the chunk is set aside", async () => {
  const chunk = someChunk(LENGTH);
  await store.put(chunk.id, chunk.bytes);
  await changeAt(chunk, (file, at) => (file[at + 3 * BLOCK_BYTES + 77]! ^= 4));
  expect(await told(chunk)).toEqual([0, 1, 2, 4]);
  await expect(store.get(chunk.id)).rejects.toMatchObject({ code: "chunk.corrupt" });
  expect(await told(chunk)).toEqual([]);
});

test("a write of a page went to another block's place: neither is told", async () => {
  const chunk = someChunk(LENGTH);
  await store.put(chunk.id, chunk.bytes);
  await changeAt(chunk, (file, at) => {
    const first = Buffer.from(file.subarray(at, at + BLOCK_BYTES));
    file.copy(file, at, at + BLOCK_BYTES, at + 2 * BLOCK_BYTES);
    first.copy(file, at + BLOCK_BYTES);
  });
  expect(await told(chunk)).toEqual([2, 3, 4]);
});

test("another whole record, header and all, where this one should be: nothing of it is told", async () => {
  const [mine, other] = [someChunk(LENGTH), someChunk(LENGTH)];
  await putAll(store, [mine, other]);
  const place = (await store.locate(other.id))!;
  const record = readFileSync(place.path).subarray(place.offset - PAGE_BYTES, place.offset + LENGTH);
  await changeAt(mine, (file, at) => record.copy(file, at - PAGE_BYTES));
  expect(await told(mine)).toEqual([]);
  expect(await told(other)).toEqual([0, 1, 2, 3, 4]);
});

test("a torn header, or one of a time before checks: nothing is told, and the chunk is read whole", async () => {
  const chunk = someChunk(LENGTH);
  await store.put(chunk.id, chunk.bytes);
  await changeAt(chunk, (file, at) => file.fill(0, at - PAGE_BYTES + EVENT_BYTES, at));
  expect(await told(chunk)).toEqual([]);
  expect((await store.get(chunk.id)).equals(chunk.bytes)).toBe(true);
});

test("memory flips a bit between the check of the name and the disk: the block is not told", async () => {
  await store.close();
  let strikes = true;
  const struck = (part: Buffer): Buffer => {
    if (!strikes || part.length < LENGTH) return part;
    strikes = false;
    const copy = Buffer.from(part);
    copy[2 * BLOCK_BYTES]! ^= 1;
    return copy;
  };
  const fileSystem = changed((file) => ({
    write: (parts, position) => file.write(parts[0]!.length === PAGE_BYTES ? parts.map(struck) : parts, position),
  }));
  store = await openStore(root, { fileSystem });
  const chunk = someChunk(LENGTH);
  await store.put(chunk.id, chunk.bytes);
  expect(strikes).toBe(false);
  expect(await told(chunk)).toEqual([0, 1, 3, 4]);
});

test("memory flips a bit of the checks that are known: they are read from the disk again", async () => {
  await store.close();
  let known: Buffer | undefined;
  const fileSystem = changed((file) => ({
    read: (into, position) => {
      if (into.length === HEADER_BYTES) known = into;
      return file.read(into, position);
    },
  }));
  store = await openStore(root, { fileSystem });
  const chunk = someChunk(LENGTH);
  await store.put(chunk.id, chunk.bytes);
  expect(await told(chunk)).toEqual([0, 1, 2, 3, 4]);
  known![HEADER_BYTES - 1]! ^= 1;
  expect(await told(chunk)).toEqual([0, 1, 2, 3]);
  expect(await told(chunk)).toEqual([0, 1, 2, 3, 4]);
});

test("the disk cannot read the checks, or the blocks: nothing is told, and nothing is thrown", async () => {
  await store.close();
  let unreadable = 0;
  const fileSystem = watched(({ kind, length }) => {
    if (kind === "read" && length === unreadable) throw systemError("EIO");
  });
  store = await openStore(root, { fileSystem });
  const chunk = someChunk(LENGTH);
  await store.put(chunk.id, chunk.bytes);
  for (unreadable of [HEADER_BYTES, BLOCK_BYTES]) expect(await told(chunk)).toEqual([]);
  unreadable = 0;
  expect(await told(chunk)).toEqual([0, 1, 2, 3, 4]);
});

test("after a restart, and moved by compaction, its parts are told as before", async () => {
  const [stays, ...gone] = Array.from({ length: 40 }, () => someChunk(LENGTH));
  await putAll(store, [stays!, ...gone]);
  await store.close();
  store = await openStore(root);
  expect(await told(stays!)).toEqual([0, 1, 2, 3, 4]);
  const before = (await store.locate(stays!.id))!;
  for (const { id } of gone) await store.delete(id);
  await store.compact();
  const after = (await store.locate(stays!.id))!;
  expect([after.path, after.offset]).not.toEqual([before.path, before.offset]);
  expect(await told(stays!)).toEqual([0, 1, 2, 3, 4]);
  await store.close();
  store = await openStore(root); // and reads the checks of where it is now
  expect(await told(stays!)).toEqual([0, 1, 2, 3, 4]);
});

test("a small record, or a part that its chunk does not have: nothing is told", async () => {
  const [small, large] = [someChunk(BLOCK_BYTES - 1), someChunk(LENGTH)];
  await putAll(store, [small, large]);
  expect(await store.getPart(small.id, { from: 0, to: 1 })).toBeUndefined();
  expect(await store.getPart(large.id, { from: LENGTH - 1, to: LENGTH + 1 })).toBeUndefined();
});
