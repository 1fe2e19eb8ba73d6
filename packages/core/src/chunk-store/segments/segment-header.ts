/**
 * The first two pages of a segment say the same twice: which segment this is, how long, and its generation. One bad sector
 * there must not cost all chunks behind it.
 *
 * The generation is random and secret. A segment that is used again gets a new one, first page first; whatever the old one
 * vouched for is void from then on. Should the two pages differ, the younger is right.
 */
import { randomBytes } from "node:crypto";
import { crc32 } from "node:zlib";
import type { ReadableFile } from "./bad-sectors.ts";
import { PAGE_BYTES } from "../../kernel/index.ts";
import type { PlacedFile } from "./placed-file.ts";

export interface SegmentHeader {
  number: number;
  sizeBytes: number;
  /** The store's sequence when this generation began. */
  born: number;
  generation: Buffer;
}

const MAGIC = Buffer.from("HOLDSEGM");
const VERSION = 1;
const VERSION_AT = 8;
const NUMBER_AT = 12;
const SIZE_AT = 16;
const BORN_AT = 22;
const GENERATION_AT = 28;
const CRC_AT = 44;

export function newGeneration(): Buffer {
  return randomBytes(CRC_AT - GENERATION_AT);
}

/** Durable when it resolves. One page after the other: a power cut spoils at most one. */
export async function writeHeader(file: PlacedFile, header: SegmentHeader): Promise<void> {
  for (const at of [0, PAGE_BYTES]) {
    await file.write([encode(header)], at);
    await file.sync();
  }
}

/** Undefined when neither page can be made out. */
export async function readHeader(file: ReadableFile): Promise<SegmentHeader | undefined> {
  const pages = Buffer.alloc(2 * PAGE_BYTES);
  await file.read(pages, 0);
  const headers = [decode(pages), decode(pages.subarray(PAGE_BYTES))].filter((header) => header !== undefined);
  return headers.toSorted((one, other) => other.born - one.born)[0];
}

function encode({ number, sizeBytes, born, generation }: SegmentHeader): Buffer {
  const page = Buffer.alloc(PAGE_BYTES);
  MAGIC.copy(page);
  page.writeUInt32BE(VERSION, VERSION_AT);
  page.writeUInt32BE(number, NUMBER_AT);
  page.writeUIntBE(sizeBytes, SIZE_AT, 6);
  page.writeUIntBE(born, BORN_AT, 6);
  generation.copy(page, GENERATION_AT);
  page.writeUInt32BE(crc32(page.subarray(0, CRC_AT)), CRC_AT);
  return page;
}

function decode(page: Buffer): SegmentHeader | undefined {
  if (!page.subarray(0, MAGIC.length).equals(MAGIC) || page.readUInt32BE(VERSION_AT) !== VERSION) return undefined;
  if (page.readUInt32BE(CRC_AT) !== crc32(page.subarray(0, CRC_AT))) return undefined;
  return {
    number: page.readUInt32BE(NUMBER_AT),
    sizeBytes: page.readUIntBE(SIZE_AT, 6),
    born: page.readUIntBE(BORN_AT, 6),
    generation: Buffer.from(page.subarray(GENERATION_AT, CRC_AT)),
  };
}
