import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import type { ReadOptions } from "../chunk-store/index.ts";
import { chunkIdOf } from "../chunking/index.ts";
import { limits, systemClock } from "../kernel/index.ts";
import type { NodeHealth } from "@holdfast/db";
import { createNodeStandings } from "../node-standing/index.ts";
import { createManualClock, createTestNodes, type TestNode } from "../testing/index.ts";
import { createChunkReader } from "./chunk-reader.ts";
import type { StoredChunk } from "./extents.ts";

async function setting({ copies = 3, clock = systemClock } = {}) {
  const nodes = createTestNodes(copies);
  const bytes = randomBytes(1_000);
  const id = chunkIdOf(bytes);
  for (const { store } of nodes.all) await store.put(id, bytes);
  const bad: string[] = [];
  const reader = createChunkReader({
    ...nodes,
    standings: createNodeStandings({ ...nodes, clock }),
    onBadCopy: (_id, node, reason) => bad.push(`${node.name}: ${reason}`),
  });
  const chunk: StoredChunk = { id, length: bytes.length, replicas: nodes.all.map((node) => node.snapshot.id) };
  const read = ({ signal = new AbortController().signal, into }: ReadOptions = {}) => reader.read(chunk, { signal, into });
  const part = { from: 200, to: 700 };
  const readPart = (into?: Buffer) => reader.read(chunk, { part, signal: new AbortController().signal, into });
  return { nodes: nodes.all as TestNode[], bytes, chunk, bad, reader, read, part: bytes.subarray(part.from, part.to), readPart };
}

test("one flipped bit: the copy is not served, the next one is, and the bad one is reported", async () => {
  const { nodes, bytes, chunk, bad, read } = await setting();
  nodes[0]!.store.chunks.get(chunk.id)![500]! ^= 1;
  expect(await read()).toEqual(bytes);
  expect(bad).toEqual(["node-1: chunk.corrupt"]);
});

test("a copy that is gone is reported and replaced", async () => {
  const { nodes, bytes, chunk, bad, read } = await setting();
  await nodes[0]!.store.delete(chunk.id);
  expect(await read()).toEqual(bytes);
  expect(bad).toEqual(["node-1: chunk.not_found"]);
});

test("a node that does not answer is replaced, and its copy is not held against it", async () => {
  const { nodes, bytes, bad, read, reader } = await setting();
  nodes[0]!.fault = "unreachable";
  expect(await read()).toEqual(bytes);
  expect(bad).toEqual([]);
  expect(reader.counts().failedCopies).toBe(1);
});

test("a node that hangs is overtaken by another copy, and its request is cancelled", async () => {
  const { nodes, bytes, read, reader } = await setting();
  nodes[0]!.fault = "hanging";
  expect(await read()).toEqual(bytes);
  expect(reader.counts().overtakenCopies).toBe(1);
  await expect.poll(() => nodes[0]!.cancelledReads).toBe(1);
});

test("the memory of a copy that was overtaken is left to it, and the answer lies elsewhere", async () => {
  const { nodes, bytes, read } = await setting();
  const into = Buffer.alloc(bytes.length);
  nodes[0]!.fault = "hanging";
  const answer = await read({ into });
  expect(answer).toEqual(bytes);
  expect(answer.buffer).not.toBe(into.buffer);
  nodes[0]!.fault = "none";
  expect((await read({ into })).buffer).toBe(into.buffer);
});

test("the memory of a copy that failed is used for the next one", async () => {
  const { nodes, bytes, read } = await setting();
  const into = Buffer.alloc(bytes.length);
  nodes[0]!.fault = "unreachable";
  expect((await read({ into })).buffer).toBe(into.buffer);
  expect(into).toEqual(bytes);
});

test("a part of a copy that is bad, of one that is gone, of one that hangs: the last node's is read, and the first two are reported", async () => {
  const { nodes, chunk, bad, part, readPart } = await setting({ copies: 4 });
  nodes[0]!.store.chunks.get(chunk.id)![0]! ^= 1;
  await nodes[1]!.store.delete(chunk.id);
  nodes[2]!.fault = "hanging";
  const into = Buffer.alloc(part.length);
  expect(await readPart(into)).toEqual(part);
  expect(bad).toEqual(["node-1: chunk.corrupt", "node-2: chunk.not_found"]);
  expect(nodes.map(({ parts }) => parts)).toEqual([1, 1, 1, 1]);
});

test("a part from nodes of a time before parts comes out of the whole chunk, into the same memory", async () => {
  const { nodes, chunk, bad, part, readPart } = await setting();
  for (const node of nodes) node.takesParts = false;
  nodes[0]!.store.chunks.get(chunk.id)![0]! ^= 1;
  const into = Buffer.alloc(part.length);
  const answer = await readPart(into);
  expect(answer).toEqual(part);
  expect(answer.buffer).toBe(into.buffer);
  expect(bad).toEqual(["node-1: chunk.corrupt"]);
});

test("a hundred ask such nodes for a little each: whole chunks are in memory a few at a time", async () => {
  const { nodes, chunk, part, reader } = await setting({ copies: 1 });
  let [atOnce, most] = [0, 0];
  const client = nodes[0]!.client;
  nodes[0]!.takesParts = false;
  const get = client.get.bind(client);
  client.get = async (id, options) => {
    most = Math.max(most, ++atOnce);
    await new Promise((resolve) => setImmediate(resolve));
    return await get(id, options).finally(() => atOnce--);
  };
  const long = { ...chunk, length: limits.chunkBytesMax }; // as far as its memory is concerned
  const read = () => reader.read(long, { part: { from: 200, to: 700 }, signal: new AbortController().signal });
  const answers = await Promise.all(Array.from({ length: 100 }, read));
  expect(answers.every((answer) => answer.equals(part))).toBe(true);
  expect(most).toBe(limits.downloadSpareBytes / limits.chunkBytesMax);
});

test("a node that keeps hanging is asked last, and is asked again once that is forgotten", async () => {
  const clock = createManualClock();
  const { nodes, read } = await setting({ clock });
  nodes[0]!.fault = "hanging";
  for (let i = 0; i < 3; i++) {
    const reading = read();
    clock.advance(400);
    await reading;
  }
  const before = nodes[0]!.reads;
  for (let i = 0; i < 20; i++) await read();
  expect(nodes[0]!.reads).toBe(before);

  nodes[0]!.fault = "none";
  clock.advance(60_000);
  await read();
  expect(nodes[0]!.reads).toBe(before + 1);
});

test("forty readers meet a node that hangs: each gets its bytes, more than there are second requests in reserve", async () => {
  const { nodes, bytes, read } = await setting();
  nodes[0]!.fault = "hanging";
  const answers = await Promise.all(Array.from({ length: 40 }, () => read()));
  expect(answers.every((answer) => answer.equals(bytes))).toBe(true);
  expect(await read()).toEqual(bytes);
  expect(nodes[0]!.reads).toBeLessThanOrEqual(40); // nobody asks it first any more
});

test("healthy copies are asked before doubtful ones, and the node that is down still counts as the last resort", async () => {
  const { nodes, bytes, read } = await setting();
  const health: NodeHealth[] = ["down", "suspect", "up"];
  health.forEach((state, index) => (nodes[index]!.snapshot.health = state));
  expect(await read()).toEqual(bytes);
  expect(nodes.map((node) => node.reads)).toEqual([0, 0, 1]);
  nodes[1]!.fault = nodes[2]!.fault = "unreachable";
  expect(await read()).toEqual(bytes);
  expect(nodes[0]!.reads).toBe(1);
});

test("all copies away: the refusal says which nodes were tried and why each failed", async () => {
  const { nodes, chunk, read } = await setting();
  nodes[0]!.fault = nodes[1]!.fault = "unreachable";
  nodes[2]!.store.chunks.get(chunk.id)![0]! ^= 1;
  await expect(read()).rejects.toMatchObject({
    code: "content.unavailable",
    message: expect.stringContaining("node-1, node-2, node-3"),
    details: { nodes: [{ reason: "store.unreachable" }, { reason: "store.unreachable" }, { reason: "chunk.corrupt" }] },
  });
});

test("a chunk whose nodes nobody knows is refused in words, not by waiting", async () => {
  const { chunk, reader } = await setting();
  await expect(reader.read({ ...chunk, replicas: [77] }, { signal: new AbortController().signal })).rejects.toMatchObject({
    code: "content.unavailable",
  });
});

test("a reader who leaves gets its own reason, and no node works on for it", async () => {
  const { nodes, read } = await setting();
  for (const node of nodes) node.fault = "hanging";
  const leaving = new AbortController();
  const reading = read({ signal: leaving.signal });
  leaving.abort(new Error("the tab was closed"));
  await expect(reading).rejects.toThrow("the tab was closed");
  await expect.poll(() => nodes.map((node) => node.cancelledReads)).toEqual([1, 0, 0]);
  expect(nodes.map((node) => node.reads)).toEqual([1, 0, 0]);
});

test("a bug is not mistaken for a node's fault", async () => {
  const { nodes, read } = await setting();
  nodes[0]!.client.get = () => Promise.reject(new TypeError("undefined is not a function"));
  await expect(read()).rejects.toThrow(TypeError);
});
