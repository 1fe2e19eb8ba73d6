import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { KiB, limits, MiB } from "../kernel/index.ts";
import { type ChunkBuffer, ChunkBuffers } from "./chunk-buffers.ts";

const WHOLE = limits.chunkBytesMax;
const patient = new AbortController().signal;

test("a flood of chunks uses the memory of two: the third waits, and gets memory that was used before", async () => {
  const buffers = new ChunkBuffers(2 * WHOLE);
  const first = await buffers.acquire(WHOLE, patient);
  await buffers.acquire(WHOLE - 1, patient);
  let arrived = false;
  const third = buffers.acquire(WHOLE, patient).then((buffer) => {
    arrived = true;
    return buffer;
  });
  await turn();
  expect(arrived).toBe(false);
  expect(buffers.tryAcquire(1)).toBeUndefined();
  first.release();
  expect((await third).bytes.buffer).toBe(first.bytes.buffer);
});

test("memory that somebody may still write to is left to them", async () => {
  const buffers = new ChunkBuffers(WHOLE);
  const first = await buffers.acquire(WHOLE, patient);
  first.release({ reusable: false });
  expect((await buffers.acquire(WHOLE, patient)).bytes.buffer).not.toBe(first.bytes.buffer);
});

test("memory given back twice is not given out twice", async () => {
  const buffers = new ChunkBuffers(4 * WHOLE);
  const first = await buffers.acquire(WHOLE, patient);
  first.release();
  first.release();
  const [second, third] = [await buffers.acquire(WHOLE, patient), await buffers.acquire(WHOLE, patient)];
  expect(second.bytes.buffer).not.toBe(third.bytes.buffer);
});

test("a client that leaves while it waits gives up its place", async () => {
  const buffers = new ChunkBuffers(WHOLE);
  const held = await buffers.acquire(WHOLE, patient);
  const leaving = new AbortController();
  const waiting = buffers.acquire(WHOLE, leaving.signal);
  leaving.abort();
  await expect(waiting).rejects.toThrow("aborted");
  held.release();
  expect((await buffers.acquire(WHOLE, patient)).bytes).toHaveLength(WHOLE);
});

test.each([
  [1, 1],
  [2_048, 2_048],
  [2_049, 4_096],
  [4_096, 4_096],
  [4_097, 8_192],
  [65_536, 65_536],
  [65_537, 65_537],
  [262_143, 262_143],
  [262_144, 524_288],
  [524_289, 1_048_576],
  [2_097_153, WHOLE],
])("a chunk of %i bytes counts for %i: what it really holds", async (length, heldBytes) => {
  const buffers = new ChunkBuffers(2 * WHOLE);
  const buffer = await buffers.acquire(length, patient);
  expect(buffer.bytes).toHaveLength(length);
  expect(buffer.bytes.buffer.byteLength).toBe(heldBytes);
  expect([buffer.heldBytes, buffers.usedBytes]).toEqual([heldBytes, heldBytes]);
});

test("memory on pages is for the longest chunk from a quarter of a mebibyte on", () => {
  const buffers = new ChunkBuffers(8 * MiB, { onPages: true });
  expect(buffers.tryAcquire(256 * KiB)!.heldBytes).toBe(4 * MiB);
  expect(buffers.tryAcquire(256 * KiB - 1)!.heldBytes).toBe(256 * KiB - 1);
});

test("of a flood of chunks of half a mebibyte each no more than four mebibytes are kept when it is over", () => {
  const buffers = new ChunkBuffers(32 * MiB);
  const flood = () => Array.from({ length: 20 }, () => buffers.tryAcquire(500 * KiB)!);
  const first = flood();
  for (const buffer of first) buffer.release();
  const before = new Set(first.map(({ bytes }) => bytes.buffer));
  expect(flood().filter(({ bytes }) => before.has(bytes.buffer))).toHaveLength(8);
});

test("a thousand short chunks one after the other use the same memory", () => {
  const buffers = new ChunkBuffers(1 * MiB);
  const seen = new Set<ArrayBufferLike>();
  for (let count = 0; count < 1_000; count++) {
    const buffer = buffers.tryAcquire(3_000 + count)!;
    seen.add(buffer.bytes.buffer);
    buffer.release();
  }
  expect(seen.size).toBe(1);
});

test("of a flood of short chunks no more than a mebibyte is kept when it is over", async () => {
  const buffers = new ChunkBuffers(16 * MiB);
  const flood = (): ChunkBuffer[] => Array.from({ length: 1_000 }, () => buffers.tryAcquire(4 * KiB)!);
  const first = flood();
  first.forEach((buffer) => buffer.release());
  const known = new Set(first.map(({ bytes }) => bytes.buffer));
  expect(flood().filter(({ bytes }) => known.has(bytes.buffer))).toHaveLength(MiB / (4 * KiB));
});

test("a short buffer that somebody may still write to is left to them, too", async () => {
  const buffers = new ChunkBuffers(1 * MiB);
  const first = await buffers.acquire(4_000, patient);
  first.release({ reusable: false });
  expect((await buffers.acquire(4_000, patient)).bytes.buffer).not.toBe(first.bytes.buffer);
});
