import { closeSync, constants, mkdtempSync, openSync, rmSync, writevSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { allocatePages, liesOnPages, PAGE_BYTES } from "./page-memory.ts";

test("only whole pages of memory that was allocated as pages are taken for such", () => {
  const memory = allocatePages(4 * PAGE_BYTES);
  expect(memory).toHaveLength(4 * PAGE_BYTES);
  expect(memory.every((byte) => byte === 0)).toBe(true);
  expect(liesOnPages(memory)).toBe(true);
  expect(liesOnPages(memory.subarray(PAGE_BYTES, 3 * PAGE_BYTES))).toBe(true);
  expect(liesOnPages(memory.subarray(64, 64 + PAGE_BYTES))).toBe(false);
  expect(liesOnPages(memory.subarray(0, PAGE_BYTES - 1))).toBe(false);
  expect(liesOnPages(Buffer.alloc(PAGE_BYTES))).toBe(false);
});

test("a disk takes them past the page cache as they lie", () => {
  const scratch = mkdtempSync(join(import.meta.dirname, ".pages-")); // the system's temporary directory may be in memory, which knows no such writes
  const fd = openSync(join(scratch, "file"), constants.O_RDWR | constants.O_CREAT | constants.O_DIRECT);
  try {
    const pages = [allocatePages(PAGE_BYTES), allocatePages(3 * PAGE_BYTES).subarray(PAGE_BYTES)];
    expect(writevSync(fd, pages, 0)).toBe(3 * PAGE_BYTES);
  } finally {
    closeSync(fd);
    rmSync(scratch, { recursive: true });
  }
});
