import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { ChunkId } from "../../chunking/index.ts";
import { GiB, HOUR_MS, systemClock } from "../../kernel/index.ts";
import { describeChunkStore, describeChunkTrash } from "../testing/index.ts";
import { damageChunk, type DiskStep, openStore, putAll, someChunk, systemError, watched } from "./testing/index.ts";

const newRoot = (): string => mkdtempSync(join(tmpdir(), "holdfast-segments-"));

const setUp = async () => {
  const root = newRoot();
  const store = await openStore(root);
  const damage = (id: ChunkId) => damageChunk(store, id);
  return { store, trash: store, damage, damageTrashed: damage, drop: () => store.close().then(() => rmSync(root, { recursive: true })) };
};

describeChunkStore("segment", setUp);
describeChunkTrash("segment", setUp);

let root: string;
beforeEach(() => void (root = newRoot()));
afterEach(() => rmSync(root, { recursive: true, force: true }));

test("a chunk is acknowledged only after its segment is synced behind its bytes", async () => {
  const steps: string[] = [];
  const store = await openStore(root, { fileSystem: watched(({ kind, path }) => void (path.endsWith(".seg") && steps.push(kind))) });
  const [first, second] = [someChunk(), someChunk()];
  await store.put(first.id, first.bytes);
  steps.length = 0;
  await store.put(second.id, second.bytes);
  expect(steps.filter((step) => step !== "read")).toEqual(["write", "sync"]);
  await store.close();
});

test("many who wait share a sync", async () => {
  const syncs: DiskStep[] = [];
  const store = await openStore(root, { fileSystem: watched((step) => void (step.kind === "sync" && syncs.push(step))) });
  await putAll(store, [someChunk()]);
  syncs.length = 0;
  const chunks = Array.from({ length: 64 }, () => someChunk(4_096));
  await Promise.all(chunks.map(({ id, bytes }) => store.put(id, bytes)));
  expect(syncs.filter(({ path }) => path.endsWith(".seg")).length).toBeLessThanOrEqual(4);
  await store.close();
});

test("small chunks cost little more than their bytes", async () => {
  const store = await openStore(root);
  const chunks = Array.from({ length: 200 }, () => someChunk(4_096));
  await putAll(store, chunks);
  const places = await Promise.all(chunks.map(({ id }) => store.locate(id)));
  const offsets = places.map((place) => place!.offset);
  expect((Math.max(...offsets) - Math.min(...offsets)) / 199).toBeLessThan(1.05 * 4_096);
  await store.close();
});

test("after a failed sync the disk is never believed again", async () => {
  let broken = false;
  const store = await openStore(root, {
    fileSystem: watched(({ kind }) => {
      if (broken && kind === "sync") throw systemError("EIO");
    }),
  });
  const [held, first, second] = [someChunk(), someChunk(), someChunk()];
  await store.put(held.id, held.bytes);
  broken = true;
  await expect(store.put(first.id, first.bytes)).rejects.toMatchObject({ code: "store.failed" });
  expect(await store.stat(first.id)).toBeUndefined();

  broken = false; // the next sync would succeed, as a real kernel's does
  await expect(store.put(second.id, second.bytes)).rejects.toMatchObject({ code: "store.failed" });
  await expect(store.trash([held.id])).rejects.toMatchObject({ code: "store.failed" });
  expect(await store.stats()).toMatchObject({ writable: false, chunkCount: 1, diskErrors: 1 });
  expect((await store.get(held.id)).equals(held.bytes)).toBe(true);
  await store.close();
});

test("marks that cannot be synced: the trash is not believed either", async () => {
  let broken = false;
  const store = await openStore(root, {
    fileSystem: watched(({ kind, path }) => {
      if (broken && kind === "sync" && path.endsWith(".marks")) throw systemError("EIO");
    }),
  });
  const { id, bytes } = someChunk();
  await store.put(id, bytes);
  broken = true;
  await expect(store.trash([id])).rejects.toMatchObject({ code: "store.failed" });
  broken = false;
  await expect(store.restore([id])).rejects.toMatchObject({ code: "store.failed" });
  await store.close();
});

test("the disk fills up: refused as full, nothing left behind, and writes go on once there is room", async () => {
  let isFull = true;
  const fileSystem = watched(({ kind }) => {
    if (isFull && kind === "write") throw systemError("ENOSPC");
  });
  const store = await openStore(root, { fileSystem });
  const { id, bytes } = someChunk();
  await expect(store.put(id, bytes)).rejects.toMatchObject({ code: "store.full" });
  expect(await store.stat(id)).toBeUndefined();
  isFull = false;
  expect(await store.put(id, bytes)).toEqual({ stored: true });
  await store.close();
});

test("the reserve is kept: a disk with less than it left takes no chunk", async () => {
  const store = await openStore(root, { reserveBytes: 1024 * 1024 * GiB });
  const { id, bytes } = someChunk();
  await expect(store.put(id, bytes)).rejects.toMatchObject({ code: "store.full" });
  expect(await store.stats()).toMatchObject({ freeBytes: 0, writable: false, reason: expect.stringContaining("full") });
  await store.close();
});

test("a full disk deletes, trashes, restores and purges; a put of what lies in the trash needs no room", async () => {
  const roomy = await openStore(root);
  const [first, second, third] = [someChunk(), someChunk(), someChunk()];
  await putAll(roomy, [first, second, third]);
  await roomy.close();

  const store = await openStore(root, { reserveBytes: 1024 * 1024 * GiB });
  expect(await store.trash([first.id, second.id])).toEqual([first.id, second.id]);
  expect(await store.restore([first.id])).toEqual([first.id]);
  expect(await store.put(second.id, second.bytes)).toEqual({ stored: true });
  await store.trash([first.id]);
  expect(await store.purgeTrash(0)).toEqual({ chunks: 1, bytes: 10_000 });
  expect(await store.delete(third.id)).toBe(true);
  await store.close();
});

test("a chunk stays in the trash for as long as asked, across a restart, and a clock set back keeps it longer", async () => {
  const roomy = await openStore(root);
  const { id, bytes } = someChunk();
  await roomy.put(id, bytes);
  await roomy.trash([id]);
  await roomy.close();

  const purge = async (hoursLater: number, olderThanHours: number) => {
    const store = await openStore(root, { clock: { ...systemClock, now: () => new Date(Date.now() + hoursLater * HOUR_MS) } });
    const purged = await store.purgeTrash(olderThanHours * HOUR_MS);
    await store.close();
    return purged.chunks;
  };
  expect(await purge(23, 24)).toBe(0);
  expect(await purge(-1, 0)).toBe(0);
  expect(await purge(25, 24)).toBe(1);
});

test("a damaged chunk read by many at once is set aside once, and a good copy put meanwhile survives", async () => {
  const store = await openStore(root);
  const { id, bytes } = someChunk(200_000);
  await store.put(id, bytes);
  await damageChunk(store, id);
  const reads = Array.from({ length: 4 }, () => store.get(id).catch((error: { code: string }) => error.code));
  expect((await Promise.all(reads)).filter((result) => result === "chunk.corrupt")).toHaveLength(1);
  await store.put(id, bytes);
  expect((await store.get(id)).equals(bytes)).toBe(true);
  expect(await store.stats()).toMatchObject({ chunkCount: 1, usedBytes: 200_000 });
  await store.close();
});

test("somebody else's files are counted and left alone", async () => {
  await (await openStore(root)).close();
  const strangers = ["segments/notes.txt", "segments/1.seg", "segments/00000009.seg"];
  for (const name of strangers) writeFileSync(join(root, name), "mine");
  mkdirSync(join(root, "segments/00000008.seg"));
  const store = await openStore(root);
  expect(await store.stats()).toMatchObject({ foreignFiles: 4, chunkCount: 0 });
  await putAll(store, [someChunk()]);
  for (const name of strangers) expect(readFileSync(join(root, name), "utf8")).toBe("mine");
  await store.close();
});
