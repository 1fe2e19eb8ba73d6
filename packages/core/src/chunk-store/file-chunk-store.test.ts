import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type ChunkId, chunkIdOf } from "../chunking/index.ts";
import { createLogger, GiB, HOUR_MS, systemClock } from "../kernel/index.ts";
import { diskFileSystem, type DurableFileSystem } from "./durable-write.ts";
import { FileChunkStore, type FileChunkStoreOptions } from "./index.ts";
import { describeChunkStore, describeChunkTrash } from "./testing/index.ts";

const setUp = async () => {
  const root = mkdtempSync(join(tmpdir(), "holdfast-store-"));
  const store = await openStore(root);
  return {
    store,
    trash: store,
    damage: async (id: ChunkId) => flipBit(chunkPath(root, id)),
    damageTrashed: async (id: ChunkId) => flipBit(chunkPath(root, id, "trash")),
    drop: () => store.close().then(() => rmSync(root, { recursive: true })),
  };
};

describeChunkStore("file", setUp);
describeChunkTrash("file", setUp);

let root: string;
beforeEach(() => void (root = mkdtempSync(join(tmpdir(), "holdfast-store-"))));
afterEach(() => rmSync(root, { recursive: true, force: true }));

test("a chunk is acknowledged only after file, rename and directory are synced, in this order", async () => {
  const steps: string[] = [];
  const store = await openStore(root, { fileSystem: watched((step) => void steps.push(step)) });
  steps.length = 0;
  const { id, bytes } = someChunk();
  await store.put(id, bytes);
  expect(steps).toEqual(["write", "fsync file", "rename", "fsync directory"]);
});

test("names that a killed process may have left visible but not durable are made durable before they count", async () => {
  const steps: string[] = [];
  await openStore(root, { fileSystem: watched((step) => void steps.push(step)) });
  expect(steps.filter((step) => step === "fsync directory").length).toBeGreaterThanOrEqual(256);
});

test.each(["fsync file", "fsync directory"])("after a failed %s the disk is never believed again", async (failing) => {
  let broken = false;
  const store = await openStore(root, {
    fileSystem: watched((step) => {
      if (broken && step === failing) throw systemError("EIO");
    }),
  });
  const [first, second] = [someChunk(), someChunk()];
  broken = true;
  await expect(store.put(first.id, first.bytes)).rejects.toMatchObject({ code: "store.failed" });
  expect(await store.stat(first.id)).toBeUndefined();

  broken = false; // the next fsync would succeed, as a real kernel's does
  await expect(store.put(second.id, second.bytes)).rejects.toMatchObject({ code: "store.failed" });
  await expect(store.put(first.id, first.bytes)).rejects.toMatchObject({ code: "store.failed" });
  expect(await store.stats()).toMatchObject({ writable: false, chunkCount: 0, diskErrors: 1 });
  expect(filesUnder(root)).toEqual([]);
});

test("the disk fills up in mid-write: refused as full, nothing left behind, and writes go on once there is room", async () => {
  let isFull = true;
  const store = await openStore(root, {
    fileSystem: watched((step) => {
      if (isFull && step === "write") throw systemError("ENOSPC");
    }),
  });
  const { id, bytes } = someChunk();
  await expect(store.put(id, bytes)).rejects.toMatchObject({ code: "store.full" });
  expect(filesUnder(root)).toEqual([]);
  isFull = false;
  expect(await store.put(id, bytes)).toEqual({ stored: true });
});

test("a disk that takes a chunk in pieces still stores the whole chunk", async () => {
  const store = await openStore(root, { fileSystem: writingAtMost(1_000) });
  const { id, bytes } = someChunk();
  await store.put(id, bytes);
  expect((await store.get(id)).equals(bytes)).toBe(true);
});

test("the reserve is kept: a disk with less than it left takes no chunk, but deletes", async () => {
  const roomy = await openStore(root);
  const held = someChunk();
  await roomy.put(held.id, held.bytes);

  const store = await openStore(root, { reserveBytes: 1024 * 1024 * GiB });
  const { id, bytes } = someChunk();
  await expect(store.put(id, bytes)).rejects.toMatchObject({ code: "store.full" });
  expect(await store.stats()).toMatchObject({ freeBytes: 0, writable: false, reason: expect.stringContaining("full") });
  expect(await store.delete(held.id)).toBe(true);
});

test("a restart finds every chunk and its length", async () => {
  const store = await openStore(root);
  const chunks = [someChunk(1), someChunk(70_000)];
  for (const { id, bytes } of chunks) await store.put(id, bytes);
  await store.close();
  const again = await openStore(root);
  expect(await again.stats()).toMatchObject({ chunkCount: 2, usedBytes: 70_001 });
  for (const { id, bytes } of chunks) expect((await again.get(id)).equals(bytes)).toBe(true);
});

test("what a killed process left half-written is removed at the next start", async () => {
  await openStore(root);
  const { id, bytes } = someChunk();
  writeFileSync(join(root, "incoming", id), bytes.subarray(0, 100));
  const store = await openStore(root);
  expect(filesUnder(root)).toEqual([]);
  expect(await store.stat(id)).toBeUndefined();
});

test("somebody else's files are counted and left alone", async () => {
  await openStore(root);
  const strangers = ["incoming/notes.txt", "chunks/README", "chunks/ab/cat.jpg", `chunks/ab/${"c".repeat(64)}.chunk`];
  for (const name of strangers) writeFileSync(join(root, name), "mine");
  mkdirSync(join(root, `chunks/ab/${"ab".repeat(32)}.chunk`));
  const store = await openStore(root);
  expect(await store.stats()).toMatchObject({ foreignFiles: 5, chunkCount: 0 });
  for (const name of strangers) expect(readFileSync(join(root, name), "utf8")).toBe("mine");
});

test.each<[string, (path: string) => void]>([
  ["cut off in its bytes", (path) => truncateSync(path, 200)],
  ["cut off in its header", (path) => truncateSync(path, 20)],
  ["empty, as after a power cut without fsync", (path) => truncateSync(path, 0)],
  ["longer than any chunk", (path) => truncateSync(path, GiB)],
  ["of another format version", (path) => flipBit(path, 8)],
  ["naming another chunk inside", (path) => flipBit(path, 20)],
])("a chunk file %s is set aside, not served", async (_case, spoil) => {
  const store = await openStore(root);
  const { id, bytes } = someChunk();
  await store.put(id, bytes);
  spoil(chunkPath(root, id));
  await expect(store.get(id)).rejects.toMatchObject({ code: "chunk.corrupt" });
  expect(readdirSync(join(root, "quarantine"))).toEqual([`${id}.chunk`]);
  expect(await store.stat(id)).toBeUndefined();
});

test("two chunk files swapped by hand are both set aside", async () => {
  const store = await openStore(root);
  const [first, second] = [someChunk(), someChunk()];
  await store.put(first.id, first.bytes);
  await store.put(second.id, second.bytes);
  const [firstFile, secondFile] = [first, second].map(({ id }) => readFileSync(chunkPath(root, id)));
  writeFileSync(chunkPath(root, first.id), secondFile!);
  writeFileSync(chunkPath(root, second.id), firstFile!);
  for (const { id } of [first, second]) await expect(store.get(id)).rejects.toMatchObject({ code: "chunk.corrupt" });
});

test("a damaged chunk read by many at once is set aside once, and a good copy put meanwhile survives", async () => {
  const store = await openStore(root);
  const { id, bytes } = someChunk(200_000);
  await store.put(id, bytes);
  flipBit(chunkPath(root, id));
  const reads = Array.from({ length: 4 }, () => store.get(id).catch((error: { code: string }) => error.code));
  const settled = await Promise.all(reads);
  expect(settled.filter((result) => result === "chunk.corrupt")).toHaveLength(1);
  await store.put(id, bytes);
  expect((await store.get(id)).equals(bytes)).toBe(true);
  expect(await store.stats()).toMatchObject({ chunkCount: 1, usedBytes: 200_000 });
});

test("trashing and restoring are acknowledged only after the directories are synced, where the chunk goes first", async () => {
  const synced: string[] = [];
  const fileSystem = watched((step, path) => void (step === "fsync directory" && synced.push(relative(root, path))));
  const store = await openStore(root, { fileSystem });
  const { id, bytes } = someChunk();
  await store.put(id, bytes);
  const prefix = id.slice(0, 2);
  synced.length = 0;
  await store.trash([id]);
  expect(synced).toEqual([`trash/${prefix}`, `chunks/${prefix}`]);
  synced.length = 0;
  await store.restore([id]);
  expect(synced).toEqual([`chunks/${prefix}`]);
});

test("a full disk trashes, restores and purges; a put of what lies in the trash needs no room", async () => {
  const roomy = await openStore(root);
  const chunks = [someChunk(), someChunk()];
  for (const { id, bytes } of chunks) await roomy.put(id, bytes);
  await roomy.close();

  const store = await openStore(root, { reserveBytes: 1024 * 1024 * GiB });
  const [first, second] = chunks.map(({ id }) => id) as [ChunkId, ChunkId];
  expect(await store.trash([first, second])).toEqual([first, second]);
  expect(await store.restore([first])).toEqual([first]);
  expect(await store.put(second, chunks[1]!.bytes)).toEqual({ stored: true });
  await store.trash([first]);
  expect(await store.purgeTrash(0)).toEqual({ chunks: 1, bytes: 10_000 });
});

test("a chunk stays in the trash for as long as asked, across a restart, and a clock set back keeps it longer", async () => {
  const roomy = await openStore(root);
  const { id, bytes } = someChunk();
  await roomy.put(id, bytes);
  await roomy.trash([id]);
  await roomy.close();

  const at = (hours: number) => openStore(root, { clock: { ...systemClock, now: () => new Date(Date.now() + hours * HOUR_MS) } });
  expect(await (await at(23)).purgeTrash(24 * HOUR_MS)).toEqual({ chunks: 0, bytes: 0 });
  expect(await (await at(-1)).purgeTrash(0)).toEqual({ chunks: 0, bytes: 0 });
  expect(await (await at(25)).purgeTrash(24 * HOUR_MS)).toEqual({ chunks: 1, bytes: 10_000 });
});

test("a directory that cannot be synced: the trash is not believed either", async () => {
  let broken = false;
  const store = await openStore(root, {
    fileSystem: watched((step) => {
      if (broken && step === "fsync directory") throw systemError("EIO");
    }),
  });
  const { id, bytes } = someChunk();
  await store.put(id, bytes);
  broken = true;
  await expect(store.trash([id])).rejects.toMatchObject({ code: "store.failed" });
  broken = false;
  await expect(store.restore([id])).rejects.toMatchObject({ code: "store.failed" });
});

test("somebody else's files in the trash survive a purge", async () => {
  await openStore(root);
  writeFileSync(join(root, "trash/ab/notes.txt"), "mine");
  const store = await openStore(root);
  expect(await store.stats()).toMatchObject({ foreignFiles: 1 });
  expect(await store.purgeTrash(0)).toEqual({ chunks: 0, bytes: 0 });
  expect(readFileSync(join(root, "trash/ab/notes.txt"), "utf8")).toBe("mine");
});

test("what was lost to damage is listed in pages, across a restart, until it is put again", async () => {
  const store = await openStore(root);
  const chunks = [someChunk(), someChunk(), someChunk()].toSorted((one, other) => (one.id < other.id ? -1 : 1));
  const ids = chunks.map(({ id }) => id);
  for (const { id, bytes } of chunks) {
    await store.put(id, bytes);
    flipBit(chunkPath(root, id));
    await expect(store.get(id)).rejects.toMatchObject({ code: "chunk.corrupt" });
  }
  await store.close();
  const again = await openStore(root);
  expect((await again.lost(undefined, 2)).map(({ id }) => id)).toEqual(ids.slice(0, 2));
  expect(await again.lost(ids[1], 2)).toMatchObject([{ id: ids[2] }]);
  await again.put(ids[0]!, chunks[0]!.bytes);
  await again.delete(ids[0]!);
  expect((await again.lost(undefined, 10)).map(({ id }) => id)).toEqual(ids.slice(1));
});

test("a chunk's own bytes are found on the disk, held or trashed, and nothing is found of a chunk that is neither", async () => {
  const store = await openStore(root);
  const { id, bytes } = someChunk();
  await store.put(id, bytes);
  for (const step of ["held", "trashed"]) {
    const { path, offset, length } = (await store.locate(id))!;
    expect(
      readFileSync(path)
        .subarray(offset, offset + length)
        .equals(bytes),
      step,
    ).toBe(true);
    await store.trash([id]);
  }
  await store.purgeTrash(0);
  expect(await store.locate(id)).toBeUndefined();
});

function openStore(directory: string, options: Partial<FileChunkStoreOptions> = {}): Promise<FileChunkStore> {
  return FileChunkStore.open({ directory, reserveBytes: 0, logger: createLogger("test", "silent"), ...options });
}

function someChunk(length = 10_000): { id: ChunkId; bytes: Buffer } {
  const bytes = randomBytes(length);
  return { id: chunkIdOf(bytes), bytes };
}

function chunkPath(directory: string, id: ChunkId, tree = "chunks"): string {
  return join(directory, tree, id.slice(0, 2), `${id}.chunk`);
}

function flipBit(path: string, at = 100): void {
  const bytes = readFileSync(path);
  bytes[at]! ^= 1;
  writeFileSync(path, bytes);
}

function filesUnder(directory: string): string[] {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: as the kernel would say`), { code });
}

/** The real disk, with `before` called ahead of each step; what it throws is what the disk answers. */
function watched(before: (step: string, path: string) => void): DurableFileSystem {
  return {
    async open(path, flags) {
      const handle = await diskFileSystem.open(path, flags);
      const kind = flags === "r" ? "directory" : "file";
      return {
        async writev(buffers) {
          before("write", path);
          return handle.writev(buffers);
        },
        async sync() {
          before(`fsync ${kind}`, path);
          return handle.sync();
        },
        close: () => handle.close(),
      };
    },
    async rename(from, to) {
      before("rename", to);
      return diskFileSystem.rename(from, to);
    },
  };
}

function writingAtMost(bytesPerWrite: number): DurableFileSystem {
  return {
    ...diskFileSystem,
    async open(path, flags) {
      const handle = await diskFileSystem.open(path, flags);
      return {
        writev: ([first]) => handle.writev([first!.subarray(0, bytesPerWrite)]),
        sync: () => handle.sync(),
        close: () => handle.close(),
      };
    },
  };
}
