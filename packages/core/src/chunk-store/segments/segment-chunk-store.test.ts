import { randomBytes } from "node:crypto";
import { mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type ChunkId, chunkIdOf } from "../../chunking/index.ts";
import { createLogger, MiB } from "../../kernel/index.ts";
import { SegmentChunkStore, type SegmentChunkStoreOptions } from "../index.ts";
import { describeChunkStore, describeChunkTrash } from "../testing/index.ts";

const setUp = async () => {
  const root = mkdtempSync(join(tmpdir(), "holdfast-segments-"));
  const store = await openStore(root);
  const damage = (id: ChunkId) => damageChunk(store, id);
  return {
    store,
    trash: store,
    damage,
    damageTrashed: damage,
    drop: () => store.close().then(() => rmSync(root, { recursive: true })),
  };
};

describeChunkStore("segment", setUp);
describeChunkTrash("segment", setUp);

let root: string;
beforeEach(() => void (root = mkdtempSync(join(tmpdir(), "holdfast-segments-"))));
afterEach(() => rmSync(root, { recursive: true, force: true }));

test("a restart finds every chunk and its length", async () => {
  const store = await openStore(root);
  const chunks = [someChunk(1), someChunk(70_000), someChunk(4 * MiB)];
  for (const { id, bytes } of chunks) await store.put(id, bytes);
  await store.close();
  const again = await openStore(root);
  expect(await again.stats()).toMatchObject({ chunkCount: 3, usedBytes: 70_001 + 4 * MiB });
  for (const { id, bytes } of chunks) expect((await again.get(id)).equals(bytes)).toBe(true);
  await again.close();
});

function openStore(directory: string, options: Partial<SegmentChunkStoreOptions> = {}): Promise<SegmentChunkStore> {
  return SegmentChunkStore.open({ directory, reserveBytes: 0, logger: createLogger("test", "silent"), segmentBytes: 5 * MiB, ...options });
}

function someChunk(length = 10_000): { id: ChunkId; bytes: Buffer } {
  const bytes = randomBytes(length);
  return { id: chunkIdOf(bytes), bytes };
}

async function damageChunk(store: SegmentChunkStore, id: ChunkId): Promise<void> {
  const { path, offset } = (await store.locate(id))!;
  const fd = openSync(path, "r+");
  const byte = Buffer.alloc(1);
  readSync(fd, byte, 0, 1, offset);
  byte[0]! ^= 1;
  writeSync(fd, byte, 0, 1, offset);
}
