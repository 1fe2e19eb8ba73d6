/**
 * Packs: small files that come at one moment become one chunk.
 *
 * A node does the same for a chunk whatever its length: a request, a record with its header, a sync, a place in the index. Its
 * row, scrub, inventory and repair come on top. In a pack, thirty small files cost that once. To everybody but the extents, which
 * know that their bytes begin somewhere inside, a pack is a chunk like any other.
 *
 * Nobody waits for company: what comes while a pack is on its way makes up the next one, which goes beside it when that takes
 * long, and a file that comes alone is a chunk by itself. What is left of a pack when most of its files are deleted is written
 * anew (`repacking`).
 *
 * No pack is looked up before it is written, for the same files at the same moment hardly come twice. If they do, the nodes say
 * that they have it.
 */
import type { ChunkBuffer, ChunkBuffers } from "../byte-budget/index.ts";
import { chunkIdOf } from "../chunking/index.ts";
import { createGathering } from "../gathering/index.ts";
import { limits } from "../kernel/index.ts";
import type { RecentTime } from "./recent-time.ts";
import { type StoredChunk, storeChunk, type StoreParts, writeChunk } from "./store-chunk.ts";

/** The bytes of a file that are durable on the write quorum. */
export interface StoredContent {
  chunk: StoredChunk;
  /** Where in the chunk they begin. */
  chunkOffset: number;
}

export interface PackerParts extends StoreParts {
  recentTime: RecentTime;
  buffers: ChunkBuffers;
  /** Length of a chunk at most. */
  chunkBytes: number;
}

/** Stores what the buffer holds, perhaps together with other contents of the drive. Rejects with a `ReplicationError`. */
export type StoreContent = (driveId: string, content: ChunkBuffer) => Promise<StoredContent>;

export function createPacker(parts: PackerParts): StoreContent {
  const { packContentsMax, packedBytesMax, packPatienceMs: patienceMs } = limits;
  const bytesMax = Math.min(packedBytesMax, Math.floor(parts.chunkBytes / packContentsMax)); // so that every pack fits a chunk
  const pack = createGathering({
    itemsMax: packContentsMax,
    patienceMs,
    work: (_, contents: readonly ChunkBuffer[]) => storeTogether(parts, contents),
  });
  return async (driveId, content) => {
    if (content.bytes.length > bytesMax) return await storeAlone(parts, content);
    const outcome = await pack(driveId, content);
    if (outcome.status === "rejected") throw outcome.reason;
    return outcome.value;
  };
}

/** What became of each: where there is no memory for a pack, they are stored one by one, and some may fail. */
async function storeTogether(parts: PackerParts, contents: readonly ChunkBuffer[]): Promise<PromiseSettledResult<StoredContent>[]> {
  const length = contents.reduce((sum, { bytes }) => sum + bytes.length, 0);
  const pack = contents.length > 1 ? parts.buffers.tryAcquire(length) : undefined;
  if (pack === undefined) return await Promise.allSettled(contents.map((content) => storeAlone(parts, content)));
  const offsets = fill(pack.bytes, contents);
  const chunk = await storePack(parts, pack);
  return offsets.map((chunkOffset) => ({ status: "fulfilled", value: { chunk, chunkOffset } }));
}

async function storePack(parts: PackerParts, pack: ChunkBuffer): Promise<StoredChunk> {
  const { bytes } = pack;
  try {
    const asOf = await parts.recentTime();
    return await writeChunk(parts, { id: chunkIdOf(bytes), bytes, asOf }, pack);
  } catch (error) {
    pack.release();
    throw error;
  }
}

/** One behind the other. Returns where each begins. No node needs their own buffers any more. */
function fill(pack: Buffer, contents: readonly ChunkBuffer[]): number[] {
  let end = 0;
  return contents.map((content) => {
    const offset = end;
    end += content.bytes.copy(pack, offset);
    content.release();
    return offset;
  });
}

async function storeAlone(parts: StoreParts, content: ChunkBuffer): Promise<StoredContent> {
  return { chunk: await storeChunk(parts, content.bytes, content), chunkOffset: 0 };
}
