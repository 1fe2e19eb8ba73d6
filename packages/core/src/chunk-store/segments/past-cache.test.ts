import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { allocatePages, PAGE_BYTES } from "../../kernel/index.ts";
import { type PlacedFile, segmentFileSystem } from "./placed-file.ts";

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
