import { chunkIdOf } from "../../chunking/index.ts";
import { viewFor } from "../buffers.ts";
import { blocksAround, type ChunkPart } from "../chunk-part.ts";
import type { ReadOptions } from "../chunk-store.ts";
import type { DiskHealth } from "../disk-health.ts";
import { areBlocksWhole, type CheckedChunk, checkedUnlessDamaged } from "./block-checks.ts";
import type { LocatedEvent } from "./chunk-index.ts";
import { chunkAt, isLarge } from "./layout.ts";
import type { PlacedFile } from "./placed-file.ts";
import { checksIn, headerBytes } from "./record-header.ts";
import type { Segment } from "./segment.ts";

/** The chunk of a record, or undefined when one single bit is not as it was written, or the disk cannot read it. */
export async function readChunk(
  segment: Segment,
  record: LocatedEvent,
  health: DiskHealth,
  options?: ReadOptions,
): Promise<Buffer | undefined> {
  const bytes = await readUnchecked(segment, record, health, options);
  return bytes !== undefined && chunkIdOf(bytes) === record.id ? bytes : undefined;
}

/** Likewise, for another record. */
export async function readForCopy(segment: Segment, record: LocatedEvent, health: DiskHealth): Promise<CheckedChunk | undefined> {
  const bytes = await readUnchecked(segment, record, health);
  return bytes && checkedUnlessDamaged(record.id, bytes);
}

/**
 * A part of the chunk of a record, and nothing else read but the blocks that it lies in. Undefined where the record has no
 * checks, or when they are not those of what was read: that may be damage to either, so it says nothing about the chunk.
 */
export async function readPart(
  segment: Segment,
  record: LocatedEvent,
  part: ChunkPart,
  health: DiskHealth,
  into?: Buffer,
): Promise<Buffer | undefined> {
  const { id, length } = record;
  if (!isLarge(length) || part.to > length) return undefined;
  const { from, to } = blocksAround(part, length);
  const bytes = viewFor(to - from, into);
  const checks = await reading(segment, health, (file) => readBlocks(file, segment, record, { from, bytes }));
  if (checks === undefined || !areBlocksWhole(id, { bytes, checks }, from)) return undefined;
  return bytes.subarray(part.from - from, part.to - from);
}

/** Fills `bytes`, and returns the chunk's checks. One read after the other: nobody may still be filling memory that is the caller's again. */
async function readBlocks(
  file: PlacedFile,
  { generation }: Segment,
  record: LocatedEvent,
  { from, bytes }: { from: number; bytes: Buffer },
): Promise<Buffer | undefined> {
  const header = Buffer.allocUnsafe(headerBytes(record.length));
  const isHeader = (await file.read(header, record.offset)) === header.length;
  const checks = isHeader ? checksIn(header, record, generation) : undefined;
  if (checks === undefined) return undefined;
  return (await file.read(bytes, chunkAt(record.offset, record.length) + from)) === bytes.length ? checks : undefined;
}

async function readUnchecked(
  segment: Segment,
  { offset, length }: LocatedEvent,
  health: DiskHealth,
  { into, pastCache }: ReadOptions = {},
): Promise<Buffer | undefined> {
  const bytes = viewFor(length, into);
  const count = await reading(segment, health, (file) => file.read(bytes, chunkAt(offset, length), { pastCache }));
  return count === length ? bytes : undefined;
}

/** Undefined when the disk cannot read it. */
async function reading<T>(segment: Segment, health: DiskHealth, read: (file: PlacedFile) => Promise<T>): Promise<T | undefined> {
  try {
    return await segment.open(read);
  } catch (error) {
    health.noteFailedRead(error);
    return undefined;
  }
}
