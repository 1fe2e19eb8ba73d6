import { randomBytes } from "node:crypto";
import { ChunkBuffers } from "@holdfast/core/byte-budget";
import { MemoryChunkStore } from "@holdfast/core/chunk-store";
import { chunkIdOf } from "@holdfast/core/chunking";
import { limits } from "@holdfast/core/kernel";
import { expect, test } from "vitest";
import { createReplication } from "./replication.ts";

const BYTES = randomBytes(100_000);
const ID = chunkIdOf(BYTES);
const SOURCE = { id: 1, host: "127.0.0.1", port: 1 };
const goes = new AbortController().signal;

async function sourceStore(): Promise<MemoryChunkStore> {
  const store = new MemoryChunkStore();
  await store.put(ID, BYTES);
  return store;
}

test("a disk that takes a chunk and gives back another: the copy is not reported as made", async () => {
  const source = await sourceStore();
  const store = new MemoryChunkStore();
  const put = store.put.bind(store);
  store.put = async (id, bytes) => {
    const result = await put(id, bytes);
    store.chunks.get(id)![0]! ^= 1;
    return result;
  };
  const memory = new ChunkBuffers(limits.nodeHealingBytes);
  const replicate = createReplication({ store, clients: { sourceFor: () => source }, memory });
  await expect(replicate(ID, [SOURCE], goes)).rejects.toMatchObject({ code: "chunk.corrupt" });
  expect(memory.usedBytes).toBe(0);
});

test("a source that says nothing is given up, and the next one gives the chunk", async () => {
  const silent = new MemoryChunkStore();
  silent.get = (_id, options) =>
    new Promise((_resolve, reject) => options!.signal!.addEventListener("abort", () => reject(new Error("left"))));
  const source = await sourceStore();
  const clients = { sourceFor: ({ id }: { id: number }) => (id === 1 ? silent : source) };
  const memory = new ChunkBuffers(limits.nodeHealingBytes);
  const replicate = createReplication({ store: new MemoryChunkStore(), clients, memory, sourceTimeoutMs: 50 });
  const { bad } = await replicate(ID, [SOURCE, { ...SOURCE, id: 2 }], goes);
  expect(bad).toEqual([{ nodeId: 1, reason: "store.unreachable" }]);
});

test("many at once share the memory for it, and all arrive", async () => {
  const source = await sourceStore();
  const memory = new ChunkBuffers(2 * limits.chunkBytesMax);
  let mostUsed = 0;
  const get = source.get.bind(source);
  source.get = async (id, options) => {
    mostUsed = Math.max(mostUsed, memory.usedBytes);
    return await get(id, options);
  };
  const targets = Array.from({ length: 10 }, () => new MemoryChunkStore());
  const copies = targets.map((store) => createReplication({ store, clients: { sourceFor: () => source }, memory })(ID, [SOURCE], goes));
  expect(await Promise.all(copies)).toHaveLength(10);
  expect(mostUsed).toBe(2 * limits.chunkBytesMax);
});
