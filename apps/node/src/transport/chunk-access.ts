/** Chunks written and read for somebody at another end, whichever way he came: timed, and within the node's memory. */
import type { ChunkBuffer } from "@holdfast/core/byte-budget";
import type { ChunkStat, ChunkStore, PutResult } from "@holdfast/core/chunk-store";
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
export async function readChunk(access: ChunkAccess, id: ChunkId, gone: AbortSignal): Promise<{ bytes: Buffer; memory: ChunkBuffer }> {
  const { store, latencies } = access;
  const { length } = await requireHeld(store, id);
  const memory = await access.memory.sending.acquire(Math.min(length, limits.chunkBytesMax), gone);
  try {
    return { bytes: await latencies.read.measure(() => store.get(id, { into: memory.bytes })), memory };
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
