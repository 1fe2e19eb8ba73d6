/** Chunks written and read for somebody at another end, whichever way he came: timed, and within the node's memory. */
import type { ChunkBuffers } from "@holdfast/core/byte-budget";
import type { ChunkStat, ChunkStore, PutResult } from "@holdfast/core/chunk-store";
import type { ReadChunk } from "@holdfast/core/chunk-transport";
import type { ChunkId } from "@holdfast/core/chunking";
import { limits } from "@holdfast/core/kernel";
import type { LatencyMeter } from "@holdfast/core/node-registration";
import type { ChunkMemory } from "../chunk-memory.ts";
import { notFound } from "../routes/chunk-names.ts";

export interface ChunkAccess {
  store: ChunkStore;
  memory: ChunkMemory;
  latencies: ChunkLatencies;
}

export interface ChunkLatencies {
  write: LatencyMeter;
  read: LatencyMeter;
}

export async function writeChunk({ store, latencies }: ChunkAccess, id: ChunkId, bytes: Buffer): Promise<PutResult> {
  return await latencies.write.measure(() => store.put(id, bytes), wasStored);
}

/** Waits for memory, which the caller releases when the bytes have left. Rejects with `chunk.not_found`, `chunk.corrupt`. */
export function readChunk({ store, memory, latencies }: ChunkAccess, id: ChunkId, gone: AbortSignal): Promise<ReadChunk> {
  return readWithin(memory.sending, store, id, gone, (read) => latencies.read.measure(read));
}

/** Likewise, for another node that makes a copy: neither a user's read nor one that says how long theirs take. */
export function lendChunk({ store, memory }: ChunkAccess, id: ChunkId, gone: AbortSignal): Promise<ReadChunk> {
  return readWithin(memory.lending, store, id, gone, (read) => read());
}

async function readWithin(
  budget: ChunkBuffers,
  store: ChunkStore,
  id: ChunkId,
  gone: AbortSignal,
  through: (read: () => Promise<Buffer>) => Promise<Buffer>,
): Promise<ReadChunk> {
  const { length } = await requireHeld(store, id);
  const memory = await budget.acquire(Math.min(length, limits.chunkBytesMax), gone);
  try {
    return { bytes: await through(() => store.get(id, { into: memory.bytes })), memory };
  } catch (error) {
    memory.release();
    throw error;
  }
}

/** Throws `chunk.not_found`. */
export async function requireHeld(store: ChunkStore, id: ChunkId): Promise<ChunkStat> {
  const held = await store.stat(id);
  if (held === undefined) throw notFound(id);
  return held;
}

/** A chunk that was there already costs no write, and tells nothing of how long one takes. */
const wasStored = ({ stored }: PutResult): boolean => stored;
