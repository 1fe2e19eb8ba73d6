import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { limits, MiB } from "../kernel/index.ts";
import { ChunkBuffers } from "./chunk-buffers.ts";

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

test("short chunks count for their length alone", async () => {
  const buffers = new ChunkBuffers(1 * MiB);
  expect((await buffers.acquire(1_000, patient)).bytes).toHaveLength(1_000);
  expect(buffers.usedBytes).toBe(1_000);
});
