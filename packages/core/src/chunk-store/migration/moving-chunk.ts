import type { ChunkId } from "../../chunking/index.ts";

/** A whole chunk on its way from one store of a disk to the other. */
export interface MovingChunk {
  id: ChunkId;
  bytes: Buffer;
  /** Milliseconds since 1970; undefined for one that is held. */
  trashedAt: number | undefined;
}
