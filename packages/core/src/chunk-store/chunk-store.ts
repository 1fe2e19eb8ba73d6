/**
 * The contract of whatever keeps chunks: a node's disk, memory, or a node at the other end of a connection.
 *
 * Its suite (`testing/conformance.ts`) runs against every implementation. The obligations:
 * - `put` returns only when the chunk is durable: it survives a power cut that comes right after.
 * - A chunk is immutable and named by its bytes, so every call may be repeated; `put` of what is there already succeeds
 *   and writes nothing, and two at once leave one chunk. "There already" means whole: a damaged copy is replaced.
 * - The store itself verifies: bytes that do not hash to their name are refused by `put` (`chunk.mismatch`) and never
 *   returned by `get` (`chunk.corrupt`; the damaged copy is set aside and no longer counts as held). A part is compared with
 *   what was written down when the whole was verified, or not returned.
 * - After a failed `put` nothing is left behind, and space is not lost.
 */
import type { ChunkId } from "../chunking/index.ts";
import type { ChunkPart } from "./chunk-part.ts";

export interface ChunkStore {
  /** The caller must not change `bytes` before the promise settles. Rejects with `chunk.mismatch`, `store.full`, `store.failed`. */
  put(id: ChunkId, bytes: Buffer): Promise<PutResult>;
  /** Rejects with `chunk.not_found` or `chunk.corrupt`. The buffer belongs to the caller. */
  get(id: ChunkId, options?: ReadOptions): Promise<Buffer>;
  /**
   * A part of a chunk and no byte more, where it can be verified without the rest: the store has done so, as for `get`.
   * Undefined where it cannot, for whatever reason, and even if the chunk is not held: then `get` tells, and sets a damaged
   * copy aside. A store at the other end of a connection may ask `get` there by itself, and reject as that does. `into` has
   * to be long enough for the blocks around the part.
   */
  getPart(id: ChunkId, part: ChunkPart, options?: ReadOptions): Promise<Buffer | undefined>;
  /** Undefined when the chunk is not held. Says nothing about whether its bytes are still whole. */
  stat(id: ChunkId): Promise<ChunkStat | undefined>;
  /** True when there was something to delete. */
  delete(id: ChunkId): Promise<boolean>;
  /** Held chunks in ascending order of id, after `after` (exclusive), at most `limit`. */
  list(after: ChunkId | undefined, limit: number): Promise<ChunkStat[]>;
  stats(): Promise<StoreStats>;
  /** Waits for what is under way. No call may follow. */
  close(): Promise<void>;
}

export interface ReadOptions {
  /** Aborted, it tells a store at the other end of a connection that nobody waits any more; a local store may ignore it. */
  signal?: AbortSignal;
  /**
   * Memory to read into, where it is long enough: the answer is then a view of it. Nobody else may touch it until the
   * promise settles, and after a failure it holds anything.
   */
  into?: Buffer;
  /**
   * For what nobody is about to read again: a store on a disk reads it from the disk itself, where it can, and leaves the
   * page cache to what users read.
   */
  pastCache?: boolean;
}

export interface PutResult {
  /** False when the chunk was already held. */
  stored: boolean;
}

export interface ChunkStat {
  id: ChunkId;
  /** Bytes of the chunk, without what the store adds. */
  length: number;
}

export interface StoreStats {
  /** Size of the disk, or of the budget of a store that has none. */
  capacityBytes: number;
  /** What may still be written: the disk's free space less the reserve, never negative. */
  freeBytes: number;
  /** Sum of the held chunks' lengths. */
  usedBytes: number;
  chunkCount: number;
  /** False when the store refuses writes: full, or a disk that failed. `reason` says which. */
  writable: boolean;
  reason: string;
  /** Since the store was opened: operations the disk failed, and chunks found corrupt and set aside. */
  diskErrors: number;
  corruptChunks: number;
  /** What lies among the chunks and is not ours. It is left alone. */
  foreignFiles: number;
}
