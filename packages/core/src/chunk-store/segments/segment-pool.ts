/**
 * Empty segments, made ahead in the background, or given back by compaction. The last one is compaction's own: without any it
 * could not make room on a full disk.
 *
 * The disk's space for them is taken first: that is far quicker than growing a file with each chunk, and what is written there
 * cannot fail for want of room. For small chunks they are filled with zeros, since writing over what was written is what is made
 * durable quickest. Large ones would wait longer for a disk that writes everything twice than for the file system, which has to
 * note where something was written first; for them the space is only set aside.
 *
 * A store begins with a small one and doubles, so that a fresh node costs next to nothing; on a disk that is nearly full they
 * become small again. Under its final name a segment is whole: a `.new` one is not.
 */
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { allocatePages, limits, MiB, PAGE_BYTES } from "../../kernel/index.ts";
import type { DiskHealth } from "../disk-health.ts";
import type { DiskRoom } from "../disk-space.ts";
import { syncDirectory } from "../durable-write.ts";
import { ChunkStoreError } from "../errors.ts";
import { alignUp, DATA_AT, footerBytes, isLarge, recordBytes, segmentBytesFor } from "./layout.ts";
import type { OpenFiles } from "./open-files.ts";
import type { PlacedFile, SegmentFileSystem } from "./placed-file.ts";
import { Segment, SEGMENT_SUFFIX } from "./segment.ts";
import { newGeneration, type SegmentHeader, writeHeader } from "./segment-header.ts";
import type { Sequence } from "./sequence.ts";

export const UNFINISHED_SUFFIX = ".new";
const FIRST_BYTES = 16 * MiB;
const KEPT_FOR_COPIES = 1;
/** More go back to the disk. */
const SPARES_MAX = 4;
/** How often a chunk that finds no room waits for some to be made. */
const RECLAIMED_AT_ONCE_MAX = 4;
const ZEROS = allocatePages(4 * MiB);

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
  #reclaim: () => Promise<boolean> = async () => false;
  /** Whether it was a large chunk that last found its segment full; the next one is made for such as it. */
  #isForLarge = false;
  /** The disk had no room for another one when last asked. */
  #isShort = false;

  constructor(options: SegmentPoolOptions) {
    this.#options = options;
    this.#spares = options.spares;
    this.#totalBytes = options.totalBytes;
    this.#nextNumber = options.nextNumber;
  }

  /** Of those that chunks may take. */
  get freeBytes(): number {
    return this.#forChunks().reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  }

  get isShort(): boolean {
    return this.#isShort;
  }

  hasRoomFor(chunkLength: number): boolean {
    return this.#forChunks().some(({ sizeBytes }) => sizeBytes >= segmentBytesFor(chunkLength));
  }

  /** `reclaim` is called when there is no room; false when it made none. */
  onFull(reclaim: () => Promise<boolean>): void {
    this.#reclaim = reclaim;
  }

  /** One that takes a chunk of this length at least. Rejects with `store.full` or `store.failed`. */
  async take(chunkLength: number): Promise<Segment> {
    const leastBytes = segmentBytesFor(chunkLength);
    this.#isForLarge = isLarge(chunkLength);
    for (let reclaimed = 0; ;) {
      const segment = this.#takeFrom(this.#forChunks(), leastBytes);
      if (segment !== undefined) return segment;
      if (this.#preparing !== undefined) await this.#preparing.catch(() => undefined);
      else {
        await this.#prepareOne(leastBytes).catch(async (error: unknown) => {
          if (!isFull(error) || reclaimed++ === RECLAIMED_AT_ONCE_MAX || !(await this.#reclaim())) throw error;
        });
      }
    }
  }

  /** As `take`, for copies, which will give back more than they take: from the reserve, if it must be. */
  async takeForCopies(chunkLength: number): Promise<Segment> {
    const leastBytes = segmentBytesFor(chunkLength);
    const spare = this.#takeFrom(this.#spares, leastBytes);
    if (spare !== undefined) return spare;
    const sizeBytes = await this.#nextBytes(leastBytes);
    return this.#make(sizeBytes).catch((error: unknown) => this.#options.health.refuse(error));
  }

  /** Makes a spare of a segment whose records are all gone; where there are enough, its space goes back to the disk. */
  async give(segment: Segment, { reuse = true } = {}): Promise<void> {
    const spare = reuse && this.#spares.length < SPARES_MAX ? await this.#renew(segment) : undefined;
    if (spare === undefined) await this.#remove(segment);
    await this.#options.files.close(segment.marksPath);
    await rm(segment.marksPath, { force: true });
    if (spare === undefined) return;
    this.#spares.push(spare); // not before its old marks are gone: it may be taken at once
    this.#isShort &&= this.#spares.length <= KEPT_FOR_COPIES;
  }

  /** Gives the space of an empty segment back to the disk. False when there is none. */
  async dropSpare(): Promise<boolean> {
    const spare = this.#spares.pop();
    if (spare !== undefined) await this.#remove(spare);
    return spare !== undefined;
  }

  /** Sees to it that the next `take` need not wait. */
  prepareAhead(): void {
    if (this.#forChunks().length > 0 || this.#preparing !== undefined || this.#options.health.failure !== undefined) return;
    this.#prepareOne(segmentBytesFor(1)).then(
      () => this.prepareAhead(),
      () => undefined, // a full or failed disk is told to whoever needs room
    );
  }

  /** Waits for what is under way. */
  async idle(): Promise<void> {
    while (this.#preparing !== undefined) await this.#preparing.catch(() => undefined);
  }

  /** A store that has no segments yet has nothing to compact. */
  #forChunks(): Segment[] {
    const spareBytes = this.#spares.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    return this.#spares.slice(spareBytes === this.#totalBytes ? 0 : KEPT_FOR_COPIES);
  }

  async #renew(segment: Segment): Promise<Segment> {
    const { number, sizeBytes } = segment;
    const header = { number, sizeBytes, born: this.#options.sequence.next(), generation: newGeneration() };
    await this.#options.files.use(segment.path, (file) => writeHeader(file, header));
    return segment.renewed(header);
  }

  /** Durably: its marks must not be gone while it may come back. */
  async #remove({ path, sizeBytes }: Segment): Promise<void> {
    await this.#options.files.close(path);
    await rm(path);
    await syncDirectory(this.#options.directory);
    this.#totalBytes -= sizeBytes;
  }

  #takeFrom(spares: readonly Segment[], leastBytes: number): Segment | undefined {
    const segment = spares.find(({ sizeBytes }) => sizeBytes >= leastBytes);
    if (segment === undefined) return undefined;
    this.#spares.splice(this.#spares.indexOf(segment), 1);
    this.prepareAhead();
    return segment;
  }

  #prepareOne(leastBytes: number): Promise<void> {
    const preparing = this.#prepare(leastBytes).finally(() => (this.#preparing = undefined));
    this.#preparing = preparing;
    return preparing;
  }

  async #prepare(leastBytes: number): Promise<void> {
    const { room, health } = this.#options;
    const sizeBytes = await this.#nextBytes(leastBytes);
    try {
      this.#spares.push(await room.within(sizeBytes, () => this.#make(sizeBytes).catch((error: unknown) => health.refuse(error))));
      this.#isShort = false;
    } catch (error) {
      this.#isShort ||= isFull(error);
      throw error;
    }
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
      await makeAndClose(file, header, { isForLarge: this.#isForLarge });
    } catch (error) {
      await rm(path + UNFINISHED_SUFFIX, { force: true }).catch(() => undefined); // a disk that failed may refuse this too; the next start removes it
      throw error;
    }
    await rename(path + UNFINISHED_SUFFIX, path + SEGMENT_SUFFIX);
    await syncDirectory(directory);
    this.#totalBytes += sizeBytes;
    return new Segment(path, header, files);
  }
}

function isFull(error: unknown): boolean {
  return error instanceof ChunkStoreError && error.code === "store.full";
}

async function makeAndClose(file: PlacedFile, header: SegmentHeader, { isForLarge }: { isForLarge: boolean }): Promise<void> {
  try {
    if (!isForLarge || !(await file.allocate(header.sizeBytes))) await fill(file, header.sizeBytes);
    await file.sync();
    await writeHeader(file, header);
  } finally {
    await file.close();
  }
}

async function fill(file: PlacedFile, bytes: number): Promise<void> {
  for (let at = 0; at < bytes; at += ZEROS.length) await file.write([ZEROS.subarray(0, Math.min(ZEROS.length, bytes - at))], at);
}

/** So that the longest chunks fill it without a rest. */
function withoutRest(bytes: number): number {
  const record = recordBytes(limits.chunkBytesMax);
  const count = Math.floor(bytes / limits.chunkBytesMax);
  return count === 0 ? Math.floor(bytes / PAGE_BYTES) * PAGE_BYTES : DATA_AT + count * record + alignUp(footerBytes(count), PAGE_BYTES);
}
