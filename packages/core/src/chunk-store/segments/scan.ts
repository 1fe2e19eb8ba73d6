/**
 * Finds the records of a segment that has no footer, because the process ended first.
 *
 * Several were under way at once, so a hole may lie before a whole record: the scan goes on behind it, at the next place
 * where a record can begin. It passes over what each header claims, whole or not, for nothing else was ever begun there.
 */
import { chunkIdOf } from "../../chunking/index.ts";
import { limits, MiB } from "../../kernel/index.ts";
import type { ReadableFile } from "./bad-sectors.ts";
import { type ChunkEvent, decodeEvent } from "./chunk-event.ts";
import { chunkAt, DATA_AT, EVENT_BYTES, recordBytes } from "./layout.ts";
import type { Segment } from "./segment.ts";

const WINDOW_BYTES = 1 * MiB;

export interface ScannedSegment {
  /** Of the whole records, in the order of their places. */
  events: ChunkEvent[];
  /** Behind every record that was begun; where the first one would be when there is none. */
  endBytes: number;
}

export async function scanSegment(file: ReadableFile, segment: Segment): Promise<ScannedSegment> {
  const scanned: ScannedSegment = { events: [], endBytes: DATA_AT };
  const window = new Window(file);
  for (let at = DATA_AT; at + EVENT_BYTES <= segment.sizeBytes;) {
    const bytes = await window.from(at);
    if (bytes.length < EVENT_BYTES) break;
    const next = firstRecord(bytes, at, segment);
    if (next === undefined) at += Math.floor(bytes.length / EVENT_BYTES) * EVENT_BYTES;
    else {
      if (chunkIdOf(await window.read(chunkAt(next.offset, next.length), next.length)) === next.id) scanned.events.push(next);
      at = scanned.endBytes = next.offset + recordBytes(next.length);
    }
  }
  return scanned;
}

function firstRecord(bytes: Buffer, at: number, { generation, sizeBytes }: Segment): ChunkEvent | undefined {
  for (let index = 0; index + EVENT_BYTES <= bytes.length; index += EVENT_BYTES) {
    if (bytes[index] === 0) continue; // most of what was never written
    const event = decodeEvent(bytes.subarray(index, index + EVENT_BYTES), generation);
    if (event?.offset === at + index && event.offset + recordBytes(event.length) <= sizeBytes) return event;
  }
  return undefined;
}

/** A stretch of the file in memory, so that small records do not cost a read each. */
class Window {
  readonly #file: ReadableFile;
  readonly #buffer = Buffer.allocUnsafeSlow(WINDOW_BYTES);
  readonly #chunk = Buffer.allocUnsafeSlow(limits.chunkBytesMax);
  #at = 0;
  #endAt = 0;

  constructor(file: ReadableFile) {
    this.#file = file;
  }

  /** What there is from `at` on: little or much, but at least an event unless the file ends. */
  async from(at: number): Promise<Buffer> {
    if (at < this.#at || at + EVENT_BYTES > this.#endAt) {
      this.#at = at;
      this.#endAt = at + (await this.#file.read(this.#buffer, at));
    }
    return this.#buffer.subarray(at - this.#at, this.#endAt - this.#at);
  }

  /** Shorter at the end of the file. Holds until the next read. */
  async read(at: number, length: number): Promise<Buffer> {
    if (at >= this.#at && at + length <= this.#endAt) return this.#buffer.subarray(at - this.#at, at - this.#at + length);
    const chunk = this.#chunk.subarray(0, length);
    return chunk.subarray(0, await this.#file.read(chunk, at));
  }
}
