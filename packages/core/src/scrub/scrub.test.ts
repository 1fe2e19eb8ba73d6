import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ChunkBuffers } from "../byte-budget/index.ts";
import { MemoryChunkStore } from "../chunk-store/index.ts";
import { type ChunkId, chunkIdOf } from "../chunking/index.ts";
import { createLogger, GiB, limits, systemClock } from "../kernel/index.ts";
import { createScrub, type Scrub, type ScrubOptions } from "./index.ts";

const CHUNK_BYTES = 1_000;

let directory: string;
let store: MemoryChunkStore;
let reads: ChunkId[];
let scrubs: Scrub[];
let busy: boolean;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "holdfast-scrub-"));
  store = new MemoryChunkStore(GiB);
  reads = [];
  scrubs = [];
  busy = false;
  const get = store.get.bind(store);
  store.get = async (id, options) => {
    reads.push(id);
    return await get(id, options);
  };
});
afterEach(async () => {
  await Promise.all(scrubs.map((scrub) => scrub.stop()));
  rmSync(directory, { recursive: true });
});

function open(options: Partial<ScrubOptions> = {}): Scrub {
  const memory = new ChunkBuffers(limits.nodeScrubBytes);
  const logger = createLogger("test", "silent");
  const scrub = createScrub({ store, directory, memory, bytesPerSecond: 1, isBusy: () => busy, logger, ...options });
  scrubs.push(scrub);
  return scrub;
}

/** In ascending order. */
async function putChunks(count: number): Promise<ChunkId[]> {
  const chunks = Array.from({ length: count }, () => randomBytes(CHUNK_BYTES));
  for (const bytes of chunks) await store.put(chunkIdOf(bytes), bytes);
  return chunks.map((bytes) => chunkIdOf(bytes)).toSorted();
}

const until = (condition: () => boolean) => vi.waitFor(() => expect(condition()).toBe(true), { timeout: 10_000 });

test("a pass reads every chunk once, in order, then rests and says when it ended", async () => {
  const ids = await putChunks(300);
  const scrub = open({ bytesPerSecond: GiB });
  await until(() => !scrub.status().running);
  expect(reads.toSorted()).toEqual(ids);
  expect(scrub.status()).toMatchObject({ running: false, progress: 1, verifiedChunks: 300, corruptFound: [] });
  expect(Math.abs(scrub.status().lastFinishedAt!.getTime() - Date.now())).toBeLessThan(30_000);
});

test("a damaged chunk is set aside and named, and the pass goes on", async () => {
  const ids = await putChunks(100);
  store.chunks.get(ids[40]!)![0]! ^= 1;
  const scrub = open({ bytesPerSecond: GiB });
  await until(() => !scrub.status().running);
  expect(scrub.status()).toMatchObject({ verifiedChunks: 99, corruptFound: [ids[40]] });
  expect(await store.stats()).toMatchObject({ chunkCount: 99, corruptChunks: 1 });
});

test("a chunk that is deleted while the pass goes on is no damage", async () => {
  const ids = await putChunks(60);
  const scrub = open();
  await until(() => reads.length > 0);
  await Promise.all(ids.slice(30).map((id) => store.delete(id)));
  scrub.start();
  await until(() => !scrub.status().running);
  expect(scrub.status()).toMatchObject({ corruptFound: [] });
});

test("it keeps to its speed", async () => {
  await putChunks(200);
  const startedAtMs = performance.now();
  open({ bytesPerSecond: 20 * CHUNK_BYTES });
  await until(() => reads.length >= 20);
  const elapsedS = (performance.now() - startedAtMs) / 1_000;
  expect(reads.length).toBeLessThanOrEqual(20 * elapsedS + 3);
});

test("an operator in a hurry does not wait for the slow pace it had", async () => {
  await putChunks(200);
  const scrub = open(); // one byte a second: the second chunk would take a quarter of an hour
  await until(() => reads.length > 0);
  scrub.start();
  await until(() => !scrub.status().running);
  expect(scrub.status().verifiedChunks).toBe(200);
});

test("told to stop, it reads nothing more; told to start, it goes on where it was", async () => {
  await putChunks(200);
  const scrub = open();
  await until(() => reads.length > 0);
  scrub.pause();
  expect(scrub.status().running).toBe(false);
  const before = reads.length;
  await expect.poll(() => reads.length).toBeLessThanOrEqual(before + limits.scrubChunksAtOnce);
  scrub.start();
  await until(() => !scrub.status().running);
  expect(new Set(reads).size).toBe(200);
});

test("a restart goes on where the pass was, not at its beginning", async () => {
  const ids = await putChunks(500);
  const first = open({ bytesPerSecond: GiB, isBusy: () => reads.length >= 300 }); // from then on it has to wait
  await until(() => reads.length >= 300);
  await first.stop();
  expect(first.status().progress).toBeGreaterThan(0.3);
  reads = [];
  const again = open({ bytesPerSecond: GiB });
  expect(again.status().progress).toBeGreaterThan(0.3);
  await until(() => !again.status().running);
  expect(reads).not.toContain(ids[0]);
  expect(reads).toContain(ids.at(-1));
  expect(reads.length).toBeLessThan(300);
});

test("after a pass it rests, also across a restart, and begins anew when the rest is over", async () => {
  await putChunks(10);
  const first = open({ bytesPerSecond: GiB });
  await until(() => !first.status().running);
  await first.stop();
  reads = [];
  const resting = open({ bytesPerSecond: GiB });
  expect(resting.status()).toMatchObject({ running: false, progress: 1 });
  await resting.stop();
  expect(reads).toEqual([]);
  const later = { ...systemClock, now: () => new Date(Date.now() + limits.scrubRestMs + 60_000) };
  const next = open({ bytesPerSecond: GiB, clock: later });
  await until(() => next.status().verifiedChunks === 10);
});

test("a busy node is scrubbed slowly, but it is", async () => {
  await putChunks(4);
  busy = true;
  const scrub = open({ bytesPerSecond: GiB });
  await until(() => reads.length === 2);
  expect(scrub.status().running).toBe(true);
  await until(() => !scrub.status().running);
  expect(scrub.status().verifiedChunks).toBe(4);
});

test("a memory of it that cannot be read costs a pass and nothing else", async () => {
  await putChunks(10);
  writeFileSync(join(directory, "holdfast-scrub.json"), "{");
  const scrub = open({ bytesPerSecond: GiB });
  await until(() => !scrub.status().running);
  await scrub.stop();
  expect(JSON.parse(readFileSync(join(directory, "holdfast-scrub.json"), "utf8"))).toHaveProperty("finishedAtMs");
});
