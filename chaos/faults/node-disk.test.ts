import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FileChunkStore, type LocalChunkStore, SegmentChunkStore } from "@holdfast/core/chunk-store";
import { type ChunkId, chunkIdOf } from "@holdfast/core/chunking";
import { createLogger, KiB } from "@holdfast/core/kernel";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FileDisk, type NodeDisk, SegmentDisk } from "./node-disk.ts";

const LENGTHS = [1, 100, 64 * KiB - 1, 64 * KiB, 200 * KiB];
const logger = createLogger("test", "silent");

describe.each([
  { store: FileChunkStore, Disk: FileDisk },
  { store: SegmentChunkStore, Disk: SegmentDisk },
])("on the disk of a $store.name", ({ store: Store, Disk }) => {
  let directory: string;
  let store: LocalChunkStore;
  let disk: NodeDisk;
  let chunks: { id: ChunkId; length: number }[];
  let other: { id: ChunkId; length: number };
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), "holdfast-disk-"));
    store = await Store.open({ directory, reserveBytes: 0, logger });
    other = await put(80 * KiB);
    chunks = [];
    for (const length of LENGTHS) chunks.push(await put(length));
    disk = new Disk(directory);
    disk.look();
  });
  afterEach(async () => {
    await store.close();
    rmSync(directory, { recursive: true, force: true });
  });

  async function put(length: number): Promise<{ id: ChunkId; length: number }> {
    const bytes = randomBytes(length);
    const id = chunkIdOf(bytes);
    await store.put(id, bytes);
    return { id, length };
  }

  test("each chunk is found whole, and none that was never there", () => {
    for (const { id, length } of chunks) expect(disk.holdsWhole(id, length)).toBe(true);
    expect(disk.hasPlace(chunkIdOf(randomBytes(8)), 8)).toBe(false);
  });

  test.each<[how: string, damage: (id: ChunkId, length: number) => void]>([
    ["a bit flips at its end", (id, length) => disk.flipBit(id, length, 0.999_999)],
    ["its end was never written", (id, length) => disk.truncate(id, length, 0.999_999)],
    ["it has another chunk's bytes", (id, length) => disk.overwriteWith(id, length, other)],
  ])("%s: its store serves it no more", async (_, damage) => {
    for (const { id, length } of chunks) {
      damage(id, length);
      await expect(store.get(id)).rejects.toMatchObject({ name: "ChunkStoreError" });
    }
  });

  test("a bit flips in what says which chunk it is: the next start serves it no more", async () => {
    for (const { id, length } of chunks) {
      disk.flipBit(id, length, 0);
      expect(disk.holdsWhole(id, length)).toBe(false);
    }
    await store.close();
    store = await Store.open({ directory, reserveBytes: 0, logger });
    for (const { id } of chunks) await expect(store.get(id)).rejects.toMatchObject({ name: "ChunkStoreError" });
  });
});
