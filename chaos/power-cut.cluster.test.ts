/** The promise beneath all others: what a node has acknowledged is there after its power was cut in the same moment. */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ChunkStore, FileChunkStore } from "@holdfast/core/chunk-store";
import { type ChunkId, chunkIdOf } from "@holdfast/core/chunking";
import { createLogger, KiB, MiB } from "@holdfast/core/kernel";
import { afterEach, beforeEach, expect, test } from "vitest";
import { LoopDisk } from "./faults/loop-disk.ts";

const WRITES = 200;
const isRoot = process.getuid?.() === 0;

let scratch: string;
let disk: LoopDisk;
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), "holdfast-power-"));
  if (isRoot) disk = new LoopDisk(join(scratch, "image"), join(scratch, "disk"), 256 * MiB);
});
afterEach(() => {
  if (isRoot) disk.unmount();
  rmSync(scratch, { recursive: true, force: true });
});

test.skipIf(!isRoot)(`the power is cut after ${WRITES} acknowledged chunks: all of them are there, whole`, async () => {
  const acknowledged = new Map<ChunkId, Buffer>();
  const store = await openStore();
  for (let write = 0; write < WRITES; write += 1) {
    const bytes = randomBytes(4 * KiB);
    const id = chunkIdOf(bytes);
    await store.put(id, bytes);
    acknowledged.set(id, bytes);
  }
  disk.cutPower();
  await store.close();
  disk.unmount();
  disk.mount();

  const reopened = await openStore();
  const lost: string[] = [];
  for (const [id, bytes] of acknowledged) {
    const read = await reopened.get(id).catch(() => undefined);
    if (read === undefined || !read.equals(bytes)) lost.push(id);
  }
  await reopened.close();
  expect(lost).toEqual([]);
});

function openStore(): Promise<ChunkStore> {
  return FileChunkStore.open({ directory: disk.directory, reserveBytes: 0, logger: createLogger("test", "silent") });
}
