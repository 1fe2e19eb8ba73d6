/** What a store on a disk of this machine can do beyond what a store anywhere can: a node is built on one. */
import type { ChunkId } from "../chunking/index.ts";
import type { ChunkStore } from "./chunk-store.ts";
import type { ChunkTrash } from "./chunk-trash.ts";

export interface LocalChunkStore extends ChunkStore, ChunkTrash {
  /** Chunks set aside as damaged and not put again since, across restarts; in ascending order of id, after `after` (exclusive). */
  lost(after: ChunkId | undefined, limit: number): Promise<LostChunk[]>;
  /** Where the bytes of a chunk lie that is held or in the trash: for whoever damages them on purpose. They may move at any time. */
  locate(id: ChunkId): Promise<ChunkPlace | undefined>;
}

export interface LostChunk {
  id: ChunkId;
  /** Milliseconds since 1970. */
  lostAt: number;
}

/** The chunk's own bytes and nothing else: `length` of them from `offset` on. */
export interface ChunkPlace {
  path: string;
  offset: number;
  length: number;
}
