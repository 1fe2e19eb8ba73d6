/**
 * Where things lie in a segment: two pages of header, records one after the other, and at its very end the footer.
 *
 * A small record is packed, so that a file of 4 KiB costs little more than its bytes. A large one begins at a page, and so
 * does its chunk: such bytes can go from the caller's memory to the disk without passing the page cache.
 */
import { KiB, PAGE_BYTES } from "../../kernel/index.ts";

/** Of an event, wherever it is written; also what every record begins at a multiple of. */
export const EVENT_BYTES = 64;
const LARGE_CHUNK_BYTES = 64 * KiB;
/** For what lies between records. */
export const ZERO_PAGE: Buffer = Buffer.alloc(PAGE_BYTES);

/** Where the first record is. */
export const DATA_AT: number = 2 * PAGE_BYTES;

export function isLarge(chunkLength: number): boolean {
  return chunkLength >= LARGE_CHUNK_BYTES;
}

/** Where a record's chunk begins. */
export function chunkAt(recordAt: number, chunkLength: number): number {
  return recordAt + (isLarge(chunkLength) ? PAGE_BYTES : EVENT_BYTES);
}

/** What a record takes, to the byte before the next. */
export function recordBytes(chunkLength: number): number {
  const unit = isLarge(chunkLength) ? PAGE_BYTES : EVENT_BYTES;
  return unit + alignUp(chunkLength, unit);
}

/** The first place from `at` on where a record may begin. */
export function recordAt(at: number, chunkLength: number): number {
  return alignUp(at, isLarge(chunkLength) ? PAGE_BYTES : EVENT_BYTES);
}

export function footerBytes(records: number): number {
  return (records + 1) * EVENT_BYTES;
}

/** Of the smallest segment that takes a chunk of this length. */
export function segmentBytesFor(chunkLength: number): number {
  return alignUp(recordAt(DATA_AT, chunkLength) + recordBytes(chunkLength) + footerBytes(1), PAGE_BYTES);
}

export function alignUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}
