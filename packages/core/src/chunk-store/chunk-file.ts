/**
 * A chunk as a file: magic, format version, length, id, then the bytes. Whoever finds the file alone, without a database
 * or its name, can still say what it is and whether it is whole.
 */
import { type FileHandle, open } from "node:fs/promises";
import { type ChunkId, chunkIdOf, chunkIdToBytes } from "../chunking/index.ts";
import { limits } from "../kernel/index.ts";
import { viewFor, withoutFirst } from "./buffers.ts";

const MAGIC = Buffer.from("HOLDFAST");
const VERSION = 1;
const VERSION_AT = MAGIC.length;
const LENGTH_AT = VERSION_AT + 4;
const ID_AT = LENGTH_AT + 4;

/** Bytes of a chunk file before the chunk. */
export const HEADER_BYTES: number = ID_AT + 32;
export const CHUNK_FILE_BYTES_MAX: number = HEADER_BYTES + limits.chunkBytesMax;

export function chunkFileHeader(id: ChunkId, length: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  MAGIC.copy(header);
  header.writeUInt32LE(VERSION, VERSION_AT);
  header.writeUInt32LE(length, LENGTH_AT);
  chunkIdToBytes(id).copy(header, ID_AT);
  return header;
}

/** The chunk in the file at `path`, or undefined when one single bit is not as it was written. Rejects when it cannot be read. */
export async function readChunkFile(path: string, id: ChunkId, into: Buffer | undefined): Promise<Buffer | undefined> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    if (size <= HEADER_BYTES || size > CHUNK_FILE_BYTES_MAX) return undefined;
    const header = Buffer.allocUnsafe(HEADER_BYTES);
    const bytes = viewFor(size - HEADER_BYTES, into);
    const isWhole = await readAll(file, [header, bytes]);
    return isWhole && header.equals(chunkFileHeader(id, bytes.length)) && chunkIdOf(bytes) === id ? bytes : undefined;
  } finally {
    await file.close();
  }
}

/** Length of the chunk in a file of `fileBytes`; 0 for a file cut off within its header. */
export function chunkLength(fileBytes: number): number {
  return Math.max(0, fileBytes - HEADER_BYTES);
}

/** False when the file ends before the parts are full. */
async function readAll(file: FileHandle, parts: readonly Buffer[]): Promise<boolean> {
  let rest = parts;
  while (rest.length > 0) {
    const { bytesRead } = await file.readv(rest);
    if (bytesRead === 0) return false;
    rest = withoutFirst(rest, bytesRead);
  }
  return true;
}
