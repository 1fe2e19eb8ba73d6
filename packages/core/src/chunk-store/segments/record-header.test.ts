import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { chunkIdOf } from "../../chunking/index.ts";
import { PAGE_BYTES } from "../../kernel/index.ts";
import { EVENT_BYTES } from "./layout.ts";
import { checksIn, headerBytes, headerPage } from "./record-header.ts";

const id = chunkIdOf(randomBytes(10));
const length = 300_000;
const checks = randomBytes(5 * 4);
const generation = randomBytes(16);
const event = randomBytes(EVENT_BYTES);
const page = (): Buffer => headerPage(event, { id, length }, checks, generation);
const read = (bytes: Buffer) => bytes.subarray(0, headerBytes(length));

test("a header is a page that begins with its event and holds the checks", () => {
  expect(page()).toHaveLength(PAGE_BYTES);
  expect(page().subarray(0, EVENT_BYTES)).toEqual(event);
  expect(checksIn(read(page()), { id, length }, generation)).toEqual(checks);
});

test.each([
  ["of another chunk", { id: chunkIdOf(randomBytes(10)), length }, generation],
  ["of a chunk of another length", { id, length: length + 1 }, generation],
  ["of an earlier use of the segment", { id, length }, randomBytes(16)],
])("checks %s are none", (_whose, chunk, by) => {
  expect(checksIn(read(page()), chunk, by)).toBeUndefined();
});

test("one bit, anywhere behind the event: no checks", () => {
  for (let at = EVENT_BYTES; at < headerBytes(length); at++) {
    const bytes = page();
    bytes[at]! ^= 1;
    expect(checksIn(read(bytes), { id, length }, generation)).toBeUndefined();
  }
});

test("a record of a time before there were checks has none", () => {
  expect(checksIn(read(Buffer.alloc(PAGE_BYTES)), { id, length }, generation)).toBeUndefined();
});

test("the longest chunk's checks fit the page", () => {
  expect(headerBytes(4 * 1024 * 1024)).toBeLessThanOrEqual(PAGE_BYTES);
});
