import { LRUCache } from "lru-cache";
import { type ChunkId, chunkIdOf } from "../../chunking/index.ts";
import { limits } from "../../kernel/index.ts";
import { areBlocksWhole } from "../block-checks.ts";
import { viewFor } from "../buffers.ts";
import { blocksAround, type ChunkPart } from "../chunk-part.ts";
import type { ReadOptions } from "../chunk-store.ts";
import type { DiskHealth } from "../disk-health.ts";
import { type CheckedChunk, checkedUnlessDamaged } from "./checked-chunk.ts";
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
 * Reads parts of chunks, and nothing else but the blocks that they lie in. The checks of chunks of which parts were read lately
 * are remembered: they belong to a chunk's bytes, wherever a record of it is, and would be a second read for each part.
 */
export class PartReader {
  readonly #health: DiskHealth;
  readonly #knownChecks = new LRUCache<ChunkId, Buffer>({ max: limits.chunkChecksKnownMax });

  constructor(health: DiskHealth) {
    this.#health = health;
  }

  /**
   * A part of the chunk of a record. Undefined where the record has no checks, or when they are not those of what was read:
   * that may be damage to either, so it says nothing about the chunk.
   */
  async read(segment: Segment, record: LocatedEvent, part: ChunkPart, into?: Buffer): Promise<Buffer | undefined> {
    const { id, length } = record;
    if (!isLarge(length) || part.to > length) return undefined;
    const { from, to } = blocksAround(part, length);
    const bytes = viewFor(to - from, into);
    const checks = await reading(segment, this.#health, (file) => this.#readBlocks(file, segment, record, { from, bytes }));
    if (checks === undefined) return undefined;
    if (areBlocksWhole(id, { bytes, checks }, from)) return bytes.subarray(part.from - from, part.to - from);
    this.#knownChecks.delete(id); // they may be what is damaged
    return undefined;
  }

  /** Fills `bytes`, and returns the chunk's checks. One read after the other: nobody may still be filling memory that is the caller's again. */
  async #readBlocks(
    file: PlacedFile,
    segment: Segment,
    record: LocatedEvent,
    { from, bytes }: { from: number; bytes: Buffer },
  ): Promise<Buffer | undefined> {
    const checks = this.#knownChecks.get(record.id) ?? (await this.#readChecks(file, segment, record));
    if (checks === undefined) return undefined;
    return (await file.read(bytes, chunkAt(record.offset, record.length) + from)) === bytes.length ? checks : undefined;
  }

  async #readChecks(file: PlacedFile, { generation }: Segment, record: LocatedEvent): Promise<Buffer | undefined> {
    const header = Buffer.allocUnsafeSlow(headerBytes(record.length)); // which is kept, and so would be a slab that it shares
    const isHeader = (await file.read(header, record.offset)) === header.length;
    const checks = isHeader ? checksIn(header, record, generation) : undefined;
    if (checks !== undefined) this.#knownChecks.set(record.id, checks);
    return checks;
  }
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
