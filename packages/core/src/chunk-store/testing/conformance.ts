/** The contracts of `ChunkStore` and `ChunkTrash` as tests. Each implementation runs them, in a few lines of its own. */
import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type ChunkId, chunkIdOf } from "../../chunking/index.ts";
import { limits } from "../../kernel/index.ts";
import { BLOCK_BYTES, type ChunkPart, type ChunkStore, type ChunkTrash } from "../index.ts";

export interface StoreUnderTest {
  /** Empty, with room for a few of the longest chunks. */
  store: ChunkStore;
  /** Flips one bit of the chunk where it is kept, behind the store's back. */
  damage(id: ChunkId): Promise<void>;
  /** Closes the store and removes every trace. */
  drop(): Promise<void>;
}

export function describeChunkStore(name: string, setUp: () => Promise<StoreUnderTest>): void {
  describe(`${name} keeps the chunk store contract:`, () => {
    let subject: StoreUnderTest;
    let store: ChunkStore;
    beforeEach(async () => {
      subject = await setUp();
      store = subject.store;
    });
    afterEach(() => subject.drop());

    test.each([1, 4_095, 4_096, limits.chunkBytesMax])("a chunk of %i bytes comes back as it was put", async (length) => {
      const { id, bytes } = chunkOf(length);
      expect(await store.put(id, bytes)).toEqual({ stored: true });
      expect((await store.get(id)).equals(bytes)).toBe(true);
      expect(await store.stat(id)).toEqual({ id, length });
    });

    test("a chunk is read into the caller's memory where it fits, and into a buffer of its own where it does not", async () => {
      const { id, bytes } = chunkOf(5_000);
      await store.put(id, bytes);
      for (const into of [Buffer.alloc(8_000), Buffer.alloc(5_000), Buffer.alloc(4_999)]) {
        expect((await store.get(id, { into })).equals(bytes)).toBe(true);
        expect(into.subarray(0, 5_000).equals(bytes)).toBe(into.length >= 5_000);
      }
    });

    test.each([1, 4_096, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, 300_000, limits.chunkBytesMax])(
      "every part of a chunk of %i bytes is those bytes and no others",
      async (length) => {
        const { id, bytes } = chunkOf(length);
        await store.put(id, bytes);
        for (const part of partsOf(length)) {
          for (const into of [undefined, Buffer.alloc(1), Buffer.alloc(length)]) {
            const told = await readPart(store, id, part, into);
            expect(told.equals(bytes.subarray(part.from, part.to))).toBe(true);
          }
        }
      },
    );

    test("a flipped bit is in no part that is served, and whoever asks for the part with it learns that the copy is bad", async () => {
      const { id, bytes } = chunkOf(300_000);
      await store.put(id, bytes);
      await subject.damage(id);
      const answers: string[] = [];
      for (let from = 0; from < bytes.length; from += BLOCK_BYTES) {
        const part = { from, to: Math.min(bytes.length, from + BLOCK_BYTES) };
        const told = readPart(store, id, part).then((it) => (it.equals(bytes.subarray(part.from, part.to)) ? "right" : "wrong"));
        answers.push(await told.catch((error: { code: string }) => error.code));
      }
      expect(answers).not.toContain("wrong");
      expect(answers.find((answer) => answer !== "right")).toBe("chunk.corrupt");
      expect(await store.list(undefined, 10)).toEqual([]);
      expect(await store.stats()).toMatchObject({ chunkCount: 0, usedBytes: 0, corruptChunks: 1 });
    });

    test("a chunk that is not there has no parts either", async () => {
      const { id, bytes } = chunkOf(100_000);
      await expect(readPart(store, id, { from: 0, to: 10 })).rejects.toMatchObject({ code: "chunk.not_found" });
      await store.put(id, bytes);
      await store.delete(id);
      await expect(readPart(store, id, { from: 0, to: 10 })).rejects.toMatchObject({ code: "chunk.not_found" });
    });

    test("a chunk put again is held once and said to be there already", async () => {
      const { id, bytes } = chunkOf(1_000);
      await store.put(id, bytes);
      expect(await store.put(id, bytes)).toEqual({ stored: false });
      expect(await store.stats()).toMatchObject({ chunkCount: 1, usedBytes: 1_000 });
    });

    test("a copy that rotted is not called durable when its bytes are put again: they replace it", async () => {
      const { id, bytes } = chunkOf(1_000);
      await store.put(id, bytes);
      await subject.damage(id);
      expect(await store.put(id, bytes)).toEqual({ stored: true });
      expect((await store.get(id)).equals(bytes)).toBe(true);
      expect(await store.stats()).toMatchObject({ chunkCount: 1, usedBytes: 1_000, corruptChunks: 1 });
    });

    test("eight writers of the same chunk at once leave one chunk", async () => {
      const { id, bytes } = chunkOf(100_000);
      const results = await Promise.all(Array.from({ length: 8 }, () => store.put(id, bytes)));
      expect(results.filter((result) => result.stored)).toHaveLength(1);
      expect(await store.list(undefined, 10)).toEqual([{ id, length: 100_000 }]);
      expect(await store.stats()).toMatchObject({ chunkCount: 1, usedBytes: 100_000 });
    });

    test("the store keeps its own copy: bytes changed after the put do not change the chunk", async () => {
      const { id, bytes } = chunkOf(1_000);
      const sent = Buffer.from(bytes);
      await store.put(id, sent);
      sent.fill(0);
      const received = await store.get(id);
      expect(received.equals(bytes)).toBe(true);
      received.fill(0);
      expect((await store.get(id)).equals(bytes)).toBe(true);
    });

    test("bytes that are not what their name says are refused, and nothing is left behind", async () => {
      const { id } = chunkOf(1_000);
      await expect(store.put(id, randomBytes(1_000))).rejects.toMatchObject({ code: "chunk.mismatch" });
      expect(await store.stat(id)).toBeUndefined();
      expect(await store.stats()).toMatchObject({ chunkCount: 0, usedBytes: 0 });
    });

    test.each([0, limits.chunkBytesMax + 1])("a chunk of %i bytes is refused", async (length) => {
      const { id, bytes } = chunkOf(length);
      await expect(store.put(id, bytes)).rejects.toMatchObject({ code: "chunk.bad_length" });
      expect(await store.stat(id)).toBeUndefined();
    });

    test("a chunk nobody put is not found", async () => {
      const { id } = chunkOf(10);
      await expect(store.get(id)).rejects.toMatchObject({ code: "chunk.not_found" });
      expect(await store.stat(id)).toBeUndefined();
      expect(await store.delete(id)).toBe(false);
    });

    test("a deleted chunk is gone, its space is given back, and it can be put again", async () => {
      const { id, bytes } = chunkOf(5_000);
      await store.put(id, bytes);
      expect(await store.delete(id)).toBe(true);
      await expect(store.get(id)).rejects.toMatchObject({ code: "chunk.not_found" });
      expect(await store.stats()).toMatchObject({ chunkCount: 0, usedBytes: 0 });
      expect(await store.put(id, bytes)).toEqual({ stored: true });
    });

    test("a flipped bit is never served, and the damaged chunk no longer counts as held", async () => {
      const { id, bytes } = chunkOf(50_000);
      await store.put(id, bytes);
      await subject.damage(id);
      await expect(store.get(id)).rejects.toMatchObject({ code: "chunk.corrupt" });
      await expect(store.get(id)).rejects.toMatchObject({ code: "chunk.not_found" });
      expect(await store.list(undefined, 10)).toEqual([]);
      expect(await store.stats()).toMatchObject({ chunkCount: 0, usedBytes: 0, corruptChunks: 1 });
    });

    test("a good copy heals a chunk that was found damaged", async () => {
      const { id, bytes } = chunkOf(50_000);
      await store.put(id, bytes);
      await subject.damage(id);
      await expect(store.get(id)).rejects.toMatchObject({ code: "chunk.corrupt" });
      expect(await store.put(id, bytes)).toEqual({ stored: true });
      expect((await store.get(id)).equals(bytes)).toBe(true);
    });

    test("pages of the list join without a gap or a repetition, in ascending order", async () => {
      const chunks = Array.from({ length: 25 }, (_, index) => chunkOf(index + 1));
      await Promise.all(chunks.map(({ id, bytes }) => store.put(id, bytes)));
      const listed: ChunkId[] = [];
      for (let page = await store.list(undefined, 4); page.length > 0; page = await store.list(listed.at(-1), 4)) {
        listed.push(...page.map((chunk) => chunk.id));
      }
      expect(listed).toEqual(chunks.map((chunk) => chunk.id).toSorted());
    });

    test("the store says how much room it has", async () => {
      const stats = await store.stats();
      expect(stats).toMatchObject({ writable: true, reason: "", chunkCount: 0, usedBytes: 0 });
      expect(stats.freeBytes).toBeGreaterThan(0);
      expect(stats.freeBytes).toBeLessThanOrEqual(stats.capacityBytes);
    });
  });
}

export interface TrashUnderTest extends StoreUnderTest {
  /** Of the same chunks as `store`. */
  trash: ChunkTrash;
  /** As `damage`, of a chunk in the trash. */
  damageTrashed(id: ChunkId): Promise<void>;
}

export function describeChunkTrash(name: string, setUp: () => Promise<TrashUnderTest>): void {
  describe(`${name} keeps the trash contract:`, () => {
    let subject: TrashUnderTest;
    let store: ChunkStore;
    let trash: ChunkTrash;
    beforeEach(async () => {
      subject = await setUp();
      ({ store, trash } = subject);
    });
    afterEach(() => subject.drop());

    async function trashedChunk(length = 10_000): Promise<{ id: ChunkId; bytes: Buffer }> {
      const chunk = chunkOf(length);
      await store.put(chunk.id, chunk.bytes);
      await trash.trash([chunk.id]);
      return chunk;
    }

    test("a trashed chunk is neither read, seen, listed nor counted, and comes back as it was put", async () => {
      const { id, bytes } = await trashedChunk();
      await expect(store.get(id)).rejects.toMatchObject({ code: "chunk.not_found" });
      expect(await store.stat(id)).toBeUndefined();
      expect(await store.list(undefined, 10)).toEqual([]);
      expect(await store.stats()).toMatchObject({ chunkCount: 0, usedBytes: 0 });
      expect(await trash.restore([id])).toEqual([id]);
      expect((await store.get(id)).equals(bytes)).toBe(true);
      expect(await store.stats()).toMatchObject({ chunkCount: 1, usedBytes: 10_000 });
      expect(await trash.listTrash(undefined, 10)).toEqual([]);
    });

    test("what is asked twice is answered alike: an answer that got lost does no harm", async () => {
      const { id, bytes } = chunkOf(1_000);
      await store.put(id, bytes);
      for (let time = 0; time < 2; time++) expect(await trash.trash([id])).toEqual([id]);
      for (let time = 0; time < 2; time++) expect(await trash.restore([id])).toEqual([id]);
      expect(await store.stats()).toMatchObject({ chunkCount: 1, usedBytes: 1_000 });
    });

    test("chunks that nobody put are left out of every answer", async () => {
      const { id } = await trashedChunk();
      const unknown = chunkOf(10).id;
      expect(await trash.trash([unknown, id])).toEqual([id]);
      expect(await trash.restore([unknown, id])).toEqual([id]);
    });

    test("a chunk put while it lies in the trash is held again and no longer trashed", async () => {
      const { id, bytes } = await trashedChunk();
      expect(await store.put(id, bytes)).toEqual({ stored: true });
      expect((await store.get(id)).equals(bytes)).toBe(true);
      expect(await trash.listTrash(undefined, 10)).toEqual([]);
      expect(await trash.purgeTrash(0)).toEqual({ chunks: 0, bytes: 0 });
      expect((await store.get(id)).equals(bytes)).toBe(true);
    });

    test("a chunk that rotted in the trash does not come back, and its good bytes can be put", async () => {
      const { id, bytes } = await trashedChunk();
      await subject.damageTrashed(id);
      expect(await trash.restore([id])).toEqual([]);
      expect(await store.stats()).toMatchObject({ chunkCount: 0, usedBytes: 0, corruptChunks: 1 });
      expect(await trash.listTrash(undefined, 10)).toEqual([]);
      expect(await store.put(id, bytes)).toEqual({ stored: true });
    });

    test("good bytes put over a chunk that rotted in the trash are what is read", async () => {
      const { id, bytes } = await trashedChunk();
      await subject.damageTrashed(id);
      expect(await store.put(id, bytes)).toEqual({ stored: true });
      expect((await store.get(id)).equals(bytes)).toBe(true);
      expect(await store.stats()).toMatchObject({ chunkCount: 1, usedBytes: 10_000 });
    });

    test("a purge takes what has been there long enough and nothing else, and says how much it freed", async () => {
      const [first, second] = [await trashedChunk(1_000), await trashedChunk(2_000)];
      const { id, bytes } = chunkOf(500);
      await store.put(id, bytes);
      expect(await trash.purgeTrash(60_000)).toEqual({ chunks: 0, bytes: 0 });
      expect(await trash.purgeTrash(0)).toEqual({ chunks: 2, bytes: 3_000 });
      expect(await trash.purgeTrash(0)).toEqual({ chunks: 0, bytes: 0 });
      expect(await trash.restore([first.id, second.id])).toEqual([]);
      expect(await store.list(undefined, 10)).toEqual([{ id, length: 500 }]);
    });

    test("pages of the trash join without a gap or a repetition, and say since when each chunk is there", async () => {
      const before = Date.now();
      const chunks = await Promise.all(Array.from({ length: 25 }, (_, index) => trashedChunk(index + 1)));
      const listed: ChunkId[] = [];
      for (let page = await trash.listTrash(undefined, 4); page.length > 0; page = await trash.listTrash(listed.at(-1), 4)) {
        listed.push(...page.map((chunk) => chunk.id));
        for (const { trashedAt } of page) expect(Math.abs(trashedAt - before)).toBeLessThan(60_000);
      }
      expect(listed).toEqual(chunks.map((chunk) => chunk.id).toSorted());
    });

    test("a chunk trashed, restored and put from many hands at once ends wholly held", async () => {
      const { id, bytes } = chunkOf(50_000);
      await store.put(id, bytes);
      await Promise.all([trash.trash([id]), store.put(id, bytes), trash.restore([id]), trash.trash([id]), store.put(id, bytes)]);
      await store.put(id, bytes);
      expect((await store.get(id)).equals(bytes)).toBe(true);
      expect(await store.stats()).toMatchObject({ chunkCount: 1, usedBytes: 50_000 });
      expect(await trash.listTrash(undefined, 10)).toEqual([]);
    });
  });
}

/** At both ends, over all of it, and at each side of where a block begins. */
function partsOf(length: number): ChunkPart[] {
  const parts = [
    { from: 0, to: 1 },
    { from: 0, to: length },
    { from: length - 1, to: length },
    { from: BLOCK_BYTES - 1, to: BLOCK_BYTES },
    { from: BLOCK_BYTES - 1, to: BLOCK_BYTES + 1 },
    { from: BLOCK_BYTES, to: length },
  ];
  return parts.filter(({ from, to }) => from < to && to <= length);
}

/** As whoever asks gets it: alone where it can be verified alone, else out of the whole chunk. */
async function readPart(store: ChunkStore, id: ChunkId, part: ChunkPart, into?: Buffer): Promise<Buffer> {
  return (await store.getPart(id, part, { into })) ?? (await store.get(id)).subarray(part.from, part.to);
}

function chunkOf(length: number): { id: ChunkId; bytes: Buffer } {
  const bytes = randomBytes(length);
  return { id: chunkIdOf(bytes), bytes };
}
