/**
 * Memory that begins at a page of the machine, from which a disk takes bytes as they lie, without the page cache in between
 * (O_DIRECT). JavaScript does not say where a buffer lies; but what WebAssembly gets is mapped, never taken from a heap.
 */
import { KiB } from "./units.ts";

export const PAGE_BYTES: number = 4 * KiB;
/** What WebAssembly counts its memory in. */
const UNIT_BYTES = 64 * KiB;

/** Node has it; its types do not. */
declare const WebAssembly: { Memory: new (units: { initial: number; maximum: number }) => { buffer: ArrayBuffer } };

const mapped = new WeakSet<ArrayBufferLike>();

/** Full of zeros; a page takes up memory once it is written to. Where the system grants none of it, a buffer like any other. */
export function allocatePages(length: number): Buffer {
  const units = Math.ceil(length / UNIT_BYTES);
  try {
    const { buffer } = new WebAssembly.Memory({ initial: units, maximum: units });
    mapped.add(buffer);
    return Buffer.from(buffer, 0, length);
  } catch {
    return Buffer.alloc(length); // no address space left for it: whoever writes from here goes through the page cache
  }
}

/** Whether these are whole pages of such memory. */
export function liesOnPages({ buffer, byteOffset, length }: Buffer): boolean {
  return mapped.has(buffer) && byteOffset % PAGE_BYTES === 0 && length % PAGE_BYTES === 0;
}
