/**
 * Fills one segment with records, and ends it with a footer.
 *
 * Many append at once; each is told its place at once and waits only for its own bytes to be durable. Where an append fails,
 * its place stays a hole: nothing is ever written there again in this generation, for half of its header might be there.
 */
import { PAGE_BYTES } from "../../kernel/index.ts";
import { type ChunkEvent, encodeEvent } from "./chunk-event.ts";
import type { LocatedEvent } from "./chunk-index.ts";
import { encodeFooter } from "./footer.ts";
import { GroupCommit } from "./group-commit.ts";
import { DATA_AT, EVENT_BYTES, footerBytes, isLarge, recordAt, recordBytes, ZERO_PAGE } from "./layout.ts";
import type { OpenFiles } from "./open-files.ts";
import { headerPage } from "./record-header.ts";
import type { Segment } from "./segment.ts";
import { Uses } from "./uses.ts";

/** What a segment holds that was not ended before the process was. */
export interface UnendedSegment {
  /** Of its whole records, one after the other. */
  headers: Buffer;
  /** Behind everything that was ever begun in it. */
  endBytes: number;
}

const NOTHING = Buffer.alloc(0);

export class SegmentWriter {
  readonly segment: Segment;
  readonly #commit: GroupCommit;
  readonly #appends = new Uses();
  readonly #headers: Headers;
  #endBytes: number;
  /** Records begun: each gets a line in the footer if it succeeds. */
  #begun: number;

  constructor(segment: Segment, files: OpenFiles, { headers, endBytes }: UnendedSegment = { headers: NOTHING, endBytes: DATA_AT }) {
    this.segment = segment;
    this.#commit = new GroupCommit(files, segment.path, { fillsPages: true });
    this.#headers = new Headers(headers);
    this.#endBytes = endBytes;
    this.#begun = headers.length / EVENT_BYTES;
  }

  get freeBytes(): number {
    return Math.max(0, this.segment.sizeBytes - footerBytes(this.#begun + 1) - this.#endBytes);
  }

  hasRoomFor(length: number): boolean {
    return recordAt(this.#endBytes, length) + recordBytes(length) + footerBytes(this.#begun + 1) <= this.segment.sizeBytes;
  }

  /** Resolves when the record is durable. Only where there is room. */
  append(event: Omit<ChunkEvent, "offset">, chunk: Buffer, checks: Buffer): Promise<LocatedEvent> {
    const offset = recordAt(this.#endBytes, chunk.length);
    this.#endBytes = offset + recordBytes(chunk.length);
    this.#begun++;
    const located = { ...event, offset, segment: this.segment.number };
    const header = encodeEvent(located, this.segment.generation);
    const start = isLarge(chunk.length) ? headerPage(header, located, checks, this.segment.generation) : header;
    return this.#appends.run(async () => {
      await this.#commit.write(recordParts(start, chunk), offset);
      this.#headers.add(header);
      return located;
    });
  }

  /** Waits for the appends under way. None may follow. */
  async end(): Promise<void> {
    await this.#appends.over();
    const footer = encodeFooter(this.#headers.bytes, this.segment.generation);
    await this.#commit.write([footer], this.segment.sizeBytes - footer.length);
    this.segment.isFilling = false;
  }

  /** Resolves when no append is under way. */
  idle(): Promise<void> {
    return this.#appends.over();
  }
}

/** The record to its last byte, so that those that follow each other are written in one go. */
function recordParts(start: Buffer, chunk: Buffer): Buffer[] {
  const restBytes = -chunk.length & (start.length - 1);
  return restBytes === 0 ? [start, chunk] : [start, chunk, ZERO_PAGE.subarray(0, restBytes)];
}

/** One after the other in memory: a segment of small records has tens of thousands, and a buffer object for each is more than its bytes. */
class Headers {
  #memory: Buffer;
  #usedBytes: number;

  constructor(begun: Buffer) {
    this.#memory = begun;
    this.#usedBytes = begun.length;
  }

  get bytes(): Buffer {
    return this.#memory.subarray(0, this.#usedBytes);
  }

  add(header: Buffer): void {
    if (this.#usedBytes === this.#memory.length) this.#grow();
    this.#usedBytes += header.copy(this.#memory, this.#usedBytes);
  }

  #grow(): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(PAGE_BYTES, 2 * this.#usedBytes));
    this.#memory.copy(grown);
    this.#memory = grown;
  }
}
