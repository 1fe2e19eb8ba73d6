/**
 * Empty segments, made ahead in the background.
 *
 * They are filled with zeros first: writing over what was written is far quicker to make durable than growing a file, and
 * cannot fail for want of room. A store begins with a small one and doubles, so that a fresh node costs next to nothing; on
 * a disk that is nearly full they become small again. Under its final name a segment is whole: a `.new` one is not.
 */
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { limits, MiB } from "../../kernel/index.ts";
import type { DiskHealth } from "../disk-health.ts";
import type { DiskRoom } from "../disk-space.ts";
import { syncDirectory } from "../durable-write.ts";
import { ChunkStoreError } from "../errors.ts";
import { alignUp, DATA_AT, footerBytes, PAGE_BYTES, recordBytes, segmentBytesFor } from "./layout.ts";
import type { OpenFiles } from "./open-files.ts";
import type { PlacedFile, SegmentFileSystem } from "./placed-file.ts";
import { Segment, SEGMENT_SUFFIX } from "./segment.ts";
import { newGeneration, type SegmentHeader, writeHeader } from "./segment-header.ts";
import type { Sequence } from "./sequence.ts";

export const UNFINISHED_SUFFIX = ".new";
const FIRST_BYTES = 16 * MiB;
const ZEROS = Buffer.alloc(1 * MiB);

export interface SegmentPoolOptions {
  directory: string;
  room: DiskRoom;
  health: DiskHealth;
  fileSystem: SegmentFileSystem;
  files: OpenFiles;
  sequence: Sequence;
  /** What segments grow to. */
  segmentBytes: number;
  spares: Segment[];
  /** Of all segments there are. */
  totalBytes: number;
  nextNumber: number;
}

export class SegmentPool {
  readonly #options: SegmentPoolOptions;
  readonly #spares: Segment[];
  #totalBytes: number;
  #nextNumber: number;
  #preparing: Promise<void> | undefined;

  constructor(options: SegmentPoolOptions) {
    this.#options = options;
    this.#spares = options.spares;
    this.#totalBytes = options.totalBytes;
    this.#nextNumber = options.nextNumber;
  }

  get freeBytes(): number {
    return this.#spares.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  }

  hasRoomFor(chunkLength: number): boolean {
    return this.#spares.some(({ sizeBytes }) => sizeBytes >= segmentBytesFor(chunkLength));
  }

  /** One that takes a chunk of this length at least. Rejects with `store.full` or `store.failed`. */
  async take(chunkLength: number): Promise<Segment> {
    const leastBytes = segmentBytesFor(chunkLength);
    for (;;) {
      const at = this.#spares.findIndex(({ sizeBytes }) => sizeBytes >= leastBytes);
      if (at >= 0) {
        const [segment] = this.#spares.splice(at, 1);
        this.prepareAhead();
        return segment!;
      }
      if (this.#preparing === undefined) await this.#prepareOne(leastBytes);
      else await this.#preparing.catch(() => undefined);
    }
  }

  /** Sees to it that the next `take` need not wait. */
  prepareAhead(): void {
    if (this.#spares.length > 0 || this.#preparing !== undefined) return;
    this.#prepareOne(segmentBytesFor(1)).catch((error: unknown) => {
      if (!(error instanceof ChunkStoreError)) throw error; // a full or failed disk is told to whoever needs room
    });
  }

  /** Waits for what is under way. */
  async idle(): Promise<void> {
    await this.#preparing?.catch(() => undefined);
  }

  #prepareOne(leastBytes: number): Promise<void> {
    return (this.#preparing = this.#prepare(leastBytes).finally(() => (this.#preparing = undefined)));
  }

  async #prepare(leastBytes: number): Promise<void> {
    const { room, health } = this.#options;
    const sizeBytes = await this.#nextBytes(leastBytes);
    const segment = await room.within(sizeBytes, () => this.#make(sizeBytes).catch((error: unknown) => health.refuse(error)));
    this.#spares.push(segment);
    this.#totalBytes += sizeBytes;
  }

  async #nextBytes(leastBytes: number): Promise<number> {
    const { room, segmentBytes } = this.#options;
    const { freeBytes } = await room.space();
    const wished = Math.min(segmentBytes, Math.max(FIRST_BYTES, this.#totalBytes), freeBytes);
    return Math.max(leastBytes, withoutRest(wished));
  }

  async #make(sizeBytes: number): Promise<Segment> {
    const { directory, fileSystem, files, sequence } = this.#options;
    const number = this.#nextNumber++;
    const header = { number, sizeBytes, born: sequence.next(), generation: newGeneration() };
    const path = join(directory, String(number).padStart(8, "0"));
    try {
      const file = await fileSystem.open(path + UNFINISHED_SUFFIX, { create: true });
      await fillAndClose(file, header);
    } catch (error) {
      await rm(path + UNFINISHED_SUFFIX, { force: true }).catch(() => undefined); // a disk that failed may refuse this too; the next start removes it
      throw error;
    }
    await rename(path + UNFINISHED_SUFFIX, path + SEGMENT_SUFFIX);
    await syncDirectory(directory);
    return new Segment(path, header, files);
  }
}

async function fillAndClose(file: PlacedFile, header: SegmentHeader): Promise<void> {
  try {
    for (let at = 0; at < header.sizeBytes; at += ZEROS.length) {
      await file.write([ZEROS.subarray(0, Math.min(ZEROS.length, header.sizeBytes - at))], at);
    }
    await file.sync();
    await writeHeader(file, header);
  } finally {
    await file.close();
  }
}

/** So that the longest chunks fill it without a rest. */
function withoutRest(bytes: number): number {
  const record = recordBytes(limits.chunkBytesMax);
  const count = Math.floor(bytes / limits.chunkBytesMax);
  return count === 0 ? Math.floor(bytes / PAGE_BYTES) * PAGE_BYTES : DATA_AT + count * record + alignUp(footerBytes(count), PAGE_BYTES);
}
