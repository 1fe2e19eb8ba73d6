/**
 * Short chunks that are asked for again and again, kept in memory.
 *
 * Small files that came together lie in one chunk, and whoever reads one of them mostly reads the others: the first is read
 * alone, with the second comes the whole chunk, and the rest is answered without any node. So is a small file that many open.
 * A long chunk is no quicker from here than from a node's page cache, and would push out hundreds of short ones.
 *
 * Whoever reads many files once asks again and again for each of their packs, and never after that. So a chunk is recent at
 * first, and makes way in the order of coming. Only one that is asked for after it made way is proven, and stays as long as
 * it is asked for (2Q, Johnson and Shasha 1994). Names are remembered for half as many bytes as there is room for: whatever
 * would not stay until it is asked for again is not worth fetching whole.
 *
 * A chunk is named by its bytes, so what is kept never becomes old. It is compared with its name when it comes, and with its
 * checks whenever it is handed out: memory rots, too.
 */
import { LRUCache } from "lru-cache";
import { areBlocksWhole, blocksAround, type CheckedBytes, type ChunkPart, checksOf, viewFor } from "../chunk-store/index.ts";
import { type ChunkId, chunkIdOf } from "../chunking/index.ts";
import { limits } from "../kernel/index.ts";
import type { ChunkReader, ReadChunkOptions, ReadCounts } from "./chunk-reader.ts";
import type { StoredChunk } from "./extents.ts";

/** Of a chunk that was asked for, or that made way. */
interface Name {
  length: number;
  hasMadeWay: boolean;
}

const RECENT_SHARE = 1 / 4;
const PROVEN_SHARE = 1 - RECENT_SHARE;
const NAMES_SHARE = 1 / 2;

/** Reads as `reader` does. What it answers is always the caller's own. */
export class HotChunks implements ChunkReader {
  readonly #reader: ChunkReader;
  /** Longer ones would have no room. */
  readonly #lengthMax: number;
  readonly #recent: LRUCache<ChunkId, CheckedBytes>;
  readonly #proven: LRUCache<ChunkId, CheckedBytes>;
  readonly #names: LRUCache<ChunkId, Name>;
  readonly #underWay = new Set<ChunkId>();
  #hotReads = 0;

  constructor(reader: ChunkReader, { bytesMax = limits.hotChunksBytes } = {}) {
    const room = (share: number) => ({ max: Math.ceil(limits.hotChunksMax * share), maxSize: Math.ceil(bytesMax * share) });
    const sizeCalculation = ({ bytes }: CheckedBytes): number => bytes.length;
    this.#reader = reader;
    this.#lengthMax = Math.min(limits.hotChunkBytesMax, room(RECENT_SHARE).maxSize);
    this.#names = new LRUCache({ ...room(NAMES_SHARE), sizeCalculation: ({ length }) => length });
    this.#proven = new LRUCache({ ...room(PROVEN_SHARE), sizeCalculation });
    this.#recent = new LRUCache({
      ...room(RECENT_SHARE),
      sizeCalculation,
      dispose: ({ bytes: { length } }, id, why) => why === "evict" && this.#names.set(id, { length, hasMadeWay: true }),
    });
  }

  counts(): ReadCounts & { hotReads: number } {
    return { ...this.#reader.counts(), hotReads: this.#hotReads };
  }

  async read(chunk: StoredChunk, options: ReadChunkOptions): Promise<Buffer> {
    const { id, length } = chunk;
    if (length > this.#lengthMax) return await this.#reader.read(chunk, options);
    const { part = { from: 0, to: length }, into } = options;
    const kept = this.#take(chunk, part);
    if (kept !== undefined) {
      this.#hotReads++;
      return copyOf(kept, part, into);
    }
    const name = this.#names.get(id);
    if (name === undefined) this.#names.set(id, { length, hasMadeWay: false });
    if (name === undefined || !this.#mayFetch(id)) return await this.#reader.read(chunk, options);
    return copyOf(await this.#fetch(chunk, name, options.signal), part, into);
  }

  /** All of its bytes, of which the part is as it came; forgotten when that is not so. */
  #take({ id, length }: StoredChunk, part: ChunkPart): Buffer | undefined {
    const kept = this.#proven.get(id) ?? this.#recent.peek(id); // which stays in the order of coming
    if (kept === undefined) return undefined;
    const { bytes, checks } = kept;
    const { from, to } = blocksAround(part, length);
    if (areBlocksWhole(id, { bytes: bytes.subarray(from, to), checks }, from)) return bytes;
    this.#proven.delete(id);
    this.#recent.delete(id);
    return undefined;
  }

  /** Whoever asks while it is under way reads by itself: nobody depends on a reader that may leave. */
  #mayFetch(id: ChunkId): boolean {
    return !this.#underWay.has(id) && this.#underWay.size < limits.hotChunksUnderWayMax;
  }

  /** The checks come first: whatever rots before them is told by the name, and whatever does later by them. */
  async #fetch(chunk: StoredChunk, { hasMadeWay }: Name, signal: AbortSignal): Promise<Buffer> {
    const { id } = chunk;
    this.#underWay.add(id);
    try {
      const bytes = await this.#reader.read(chunk, { signal });
      const checks = ofItsOwn(checksOf(id, bytes));
      if (chunkIdOf(bytes) !== id) return await this.#reader.read(chunk, { signal });
      this.#names.delete(id);
      (hasMadeWay ? this.#proven : this.#recent).set(id, { bytes, checks });
      return bytes;
    } finally {
      this.#underWay.delete(id);
    }
  }
}

/** A few bytes that are kept would keep the slab, too, that they share with others. */
function ofItsOwn(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(copy);
  return copy;
}

function copyOf(bytes: Buffer, { from, to }: ChunkPart, into: Buffer | undefined): Buffer {
  const copy = viewFor(to - from, into);
  return copy.subarray(0, bytes.copy(copy, 0, from, to));
}
