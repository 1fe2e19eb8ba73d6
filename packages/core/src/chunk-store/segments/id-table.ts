/**
 * Where each chunk is, in memory: sorted by id, in buckets of plain bytes, so that ten million chunks are no burden to the
 * garbage collector and lists come in order. An entry takes 48 bytes, 54 with its time; a bucket keeps an eighth spare.
 */
import { type ChunkId, chunkIdFromBytes } from "../../chunking/index.ts";
import { EVENT_BYTES } from "./layout.ts";

export interface TableEntry {
  segment: number;
  /** Of the record in its segment. */
  offset: number;
  /** Of the chunk. */
  length: number;
  sequence: number;
  /** 0 in a table that keeps no times. */
  atMs: number;
}

const BUCKET_BITS = 14;
const ID_BYTES = 32;
const SEGMENT_AT = ID_BYTES;
const OFFSET_AT = SEGMENT_AT + 3;
const LENGTH_AT = OFFSET_AT + 4; // offsets are kept in units of an event's size
const SEQUENCE_AT = LENGTH_AT + 3;
const TIME_AT = SEQUENCE_AT + 6;
const TIME_BYTES = 6;

interface Bucket {
  bytes: Buffer;
  count: number;
}

export class IdTable {
  readonly #keepsTimes: boolean;
  readonly #entryBytes: number;
  readonly #buckets: (Bucket | undefined)[] = Array.from({ length: 1 << BUCKET_BITS });
  readonly #key = Buffer.alloc(ID_BYTES);
  #count = 0;

  constructor({ keepsTimes }: { keepsTimes: boolean }) {
    this.#keepsTimes = keepsTimes;
    this.#entryBytes = keepsTimes ? TIME_AT + TIME_BYTES : TIME_AT;
  }

  get count(): number {
    return this.#count;
  }

  get(id: ChunkId): TableEntry | undefined {
    if (this.#count === 0) return undefined;
    const bucket = this.#bucketOf(id);
    if (bucket === undefined) return undefined;
    const at = this.#lowerBound(bucket);
    return this.#isAt(bucket, at) ? this.#read(bucket, at) : undefined;
  }

  /** Takes the place of what was there. */
  set(id: ChunkId, entry: TableEntry): void {
    const bucket = this.#bucketOf(id) ?? this.#newBucket();
    const at = this.#lowerBound(bucket);
    if (!this.#isAt(bucket, at)) this.#makeRoom(bucket, at);
    this.#write(bucket, at, entry);
  }

  delete(id: ChunkId): boolean {
    const bucket = this.#bucketOf(id);
    if (bucket === undefined) return false;
    const at = this.#lowerBound(bucket);
    if (!this.#isAt(bucket, at)) return false;
    const from = at * this.#entryBytes;
    bucket.bytes.copyWithin(from, from + this.#entryBytes, bucket.count * this.#entryBytes);
    bucket.count--;
    this.#count--;
    return true;
  }

  /** In ascending order of id, after `after` (exclusive). Not across a change of the table. */
  *entries(after: ChunkId | undefined): Generator<[ChunkId, TableEntry]> {
    let first = 0;
    let at = 0;
    if (after !== undefined) {
      const bucket = this.#bucketOf(after);
      first = bucketNumber(this.#key);
      at = bucket === undefined ? 0 : this.#lowerBound(bucket) + Number(this.#isAt(bucket, this.#lowerBound(bucket)));
    }
    for (let number = first; number < this.#buckets.length; number++, at = 0) {
      const bucket = this.#buckets[number];
      if (bucket === undefined) continue;
      for (; at < bucket.count; at++) {
        const from = at * this.#entryBytes;
        yield [chunkIdFromBytes(bucket.bytes.subarray(from, from + ID_BYTES)), this.#read(bucket, at)];
      }
    }
  }

  /** Leaves the id in `#key`. */
  #bucketOf(id: ChunkId): Bucket | undefined {
    this.#key.write(id, "hex");
    return this.#buckets[bucketNumber(this.#key)];
  }

  #newBucket(): Bucket {
    return (this.#buckets[bucketNumber(this.#key)] = { bytes: Buffer.alloc(0), count: 0 });
  }

  /** The first entry that is not below `#key`. */
  #lowerBound(bucket: Bucket): number {
    let low = 0;
    let high = bucket.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#compare(bucket, middle) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #isAt(bucket: Bucket, at: number): boolean {
    return at < bucket.count && this.#compare(bucket, at) === 0;
  }

  /** The entry at `at` against `#key`: hashes differ within their first bytes. */
  #compare(bucket: Bucket, at: number): number {
    const from = at * this.#entryBytes;
    for (let index = 0; index < ID_BYTES; index++) {
      const difference = bucket.bytes[from + index]! - this.#key[index]!;
      if (difference !== 0) return difference;
    }
    return 0;
  }

  #makeRoom(bucket: Bucket, at: number): void {
    const usedBytes = bucket.count * this.#entryBytes;
    if (usedBytes === bucket.bytes.length) {
      const grown = Buffer.allocUnsafeSlow((bucket.count + Math.max(2, bucket.count >>> 3)) * this.#entryBytes);
      bucket.bytes.copy(grown);
      bucket.bytes = grown;
    }
    const from = at * this.#entryBytes;
    bucket.bytes.copyWithin(from + this.#entryBytes, from, usedBytes);
    this.#key.copy(bucket.bytes, from);
    bucket.count++;
    this.#count++;
  }

  #read({ bytes }: Bucket, at: number): TableEntry {
    const from = at * this.#entryBytes;
    return {
      segment: bytes.readUIntBE(from + SEGMENT_AT, 3),
      offset: bytes.readUInt32BE(from + OFFSET_AT) * EVENT_BYTES,
      length: bytes.readUIntBE(from + LENGTH_AT, 3),
      sequence: bytes.readUIntBE(from + SEQUENCE_AT, 6),
      atMs: this.#keepsTimes ? bytes.readUIntBE(from + TIME_AT, TIME_BYTES) : 0,
    };
  }

  #write({ bytes }: Bucket, at: number, entry: TableEntry): void {
    const from = at * this.#entryBytes;
    bytes.writeUIntBE(entry.segment, from + SEGMENT_AT, 3);
    bytes.writeUInt32BE(entry.offset / EVENT_BYTES, from + OFFSET_AT);
    bytes.writeUIntBE(entry.length, from + LENGTH_AT, 3);
    bytes.writeUIntBE(entry.sequence, from + SEQUENCE_AT, 6);
    if (this.#keepsTimes) bytes.writeUIntBE(entry.atMs, from + TIME_AT, TIME_BYTES);
  }
}

function bucketNumber(id: Buffer): number {
  return id.readUInt16BE(0) >>> (16 - BUCKET_BITS);
}
