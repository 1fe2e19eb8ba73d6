import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { allocatePages, KiB, MiB, PAGE_BYTES } from "../../kernel/index.ts";
import { type PlacedFile, segmentFileSystem } from "./placed-file.ts";
import { openStore, putAll, someChunk } from "./testing/index.ts";

const PAGES = 3;

let scratch: string;
let file: PlacedFile;
let bytes: Buffer;
beforeEach(async () => {
  scratch = mkdtempSync(join(import.meta.dirname, ".past-cache-")); // the system's temporary directory may be in memory, which knows no such reads
  file = await segmentFileSystem.open(join(scratch, "file"), { create: true });
  bytes = randomBytes(PAGES * PAGE_BYTES + 100);
  await file.write([bytes], 0);
});
afterEach(async () => {
  await file.close();
  rmSync(scratch, { recursive: true });
});

test.each<[string, () => Buffer, number, number]>([
  ["whole pages", () => allocatePages(PAGES * PAGE_BYTES), 0, PAGES * PAGE_BYTES],
  ["pages in the midst", () => allocatePages(PAGE_BYTES), PAGE_BYTES, PAGE_BYTES],
  ["memory that lies anywhere", () => Buffer.alloc(PAGES * PAGE_BYTES).subarray(1), 0, PAGES * PAGE_BYTES - 1],
  ["a place that is no page's", () => allocatePages(PAGE_BYTES), 5, PAGE_BYTES],
  ["beyond the end of the file", () => allocatePages(2 * PAGE_BYTES), (PAGES - 1) * PAGE_BYTES, PAGE_BYTES + 100],
])("%s, read past the page cache: as they were written, synced or not", async (_what, memory, position, count) => {
  const into = memory();
  expect(await file.read(into, position, { pastCache: true })).toBe(count);
  expect(into.subarray(0, count).equals(bytes.subarray(position, position + count))).toBe(true);
});

test("a new file is written past the page cache from its first byte on: a segment full of zeros is in nobody's way", async () => {
  const fresh = await segmentFileSystem.open(join(scratch, "fresh"), { create: true });
  await fresh.write([allocatePages(1 * MiB)], 0);
  await fresh.sync();
  const before = bytesReadFromDisk();
  await fresh.read(Buffer.alloc(64 * KiB), 0);
  expect(bytesReadFromDisk() - before).toBeGreaterThanOrEqual(64 * KiB);
  await fresh.close();
});

test("small chunks are appended without a look at what is on the disk", async () => {
  const store = await openStore(scratch);
  const chunks = Array.from({ length: 100 }, () => someChunk());
  await putAll(store, chunks.splice(0, 2)); // the first comes to a segment that nobody has written to
  const before = bytesReadFromDisk();
  await putAll(store, chunks);
  expect(bytesReadFromDisk() - before).toBeLessThan((chunks.length / 2) * PAGE_BYTES); // the program itself may still be being read
  await store.close();
});

/** What this process has caused to be read, in bytes. */
function bytesReadFromDisk(): number {
  const [, bytes] = /^read_bytes: (\d+)$/m.exec(readFileSync("/proc/self/io", "utf8"))!;
  return Number(bytes);
}
