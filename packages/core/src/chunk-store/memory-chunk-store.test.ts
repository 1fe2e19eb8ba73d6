import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { type ChunkId, chunkIdOf } from "../chunking/index.ts";
import { MemoryChunkStore } from "./index.ts";
import { describeChunkStore, describeChunkTrash } from "./testing/index.ts";

const setUp = async () => {
  const store = new MemoryChunkStore();
  return {
    store,
    trash: store,
    damage: async (id: ChunkId) => void (store.chunks.get(id)![0]! ^= 1),
    damageTrashed: async (id: ChunkId) => void (store.trashed.get(id)!.bytes[0]! ^= 1),
    drop: async () => undefined,
  };
};

describeChunkStore("memory", setUp);
describeChunkTrash("memory", setUp);

test("a full memory store refuses more and keeps what it has", async () => {
  const store = new MemoryChunkStore(1_500);
  const [first, second] = [randomBytes(1_000), randomBytes(1_000)];
  await store.put(chunkIdOf(first), first);
  await expect(store.put(chunkIdOf(second), second)).rejects.toMatchObject({ code: "store.full" });
  expect(await store.stats()).toMatchObject({ chunkCount: 1, writable: false });
});
