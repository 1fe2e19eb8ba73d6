/**
 * Where chunks wait before they are gone: neither read nor listed any more, and back in an instant.
 *
 * The way out of a mistaken deletion, so it has the obligations of the store itself:
 * - what these calls report is durable; every call may be repeated, and repeated says the same;
 * - it always has room: a full store can trash, restore and purge;
 * - `restore` verifies. `put` of a chunk in the trash brings it back, too, or stores it anew when it rotted there;
 * - a chunk is in the trash or held, never both as far as anyone can see.
 */
import type { ChunkId } from "../chunking/index.ts";

export interface ChunkTrash {
  /** Returns those that are in the trash now. Rejects with `store.failed`. */
  trash(ids: readonly ChunkId[]): Promise<ChunkId[]>;
  /** Returns those that are held now, whole. Rejects with `store.failed`. */
  restore(ids: readonly ChunkId[]): Promise<ChunkId[]>;
  /** In ascending order of id, after `after` (exclusive), at most `limit`. */
  listTrash(after: ChunkId | undefined, limit: number): Promise<TrashedChunk[]>;
  /**
   * Removes for good what has been in the trash for at least so long, at most `limits.purgeChunksMax` of it: whoever gets
   * that many calls again.
   */
  purgeTrash(olderThanMs: number): Promise<Purged>;
}

export interface TrashedChunk {
  id: ChunkId;
  /** Bytes of the chunk, without what the store adds. */
  length: number;
  /** Milliseconds since 1970, by the clock of the store. */
  trashedAt: number;
}

export interface Purged {
  chunks: number;
  /** Sum of their lengths. */
  bytes: number;
}
