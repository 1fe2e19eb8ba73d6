/** Chunks written and read for somebody at another end, whichever way he came: timed, and within the node's memory. */
import type { ChunkBuffer, ChunkBuffers } from "@holdfast/core/byte-budget";
import { blocksAround, type ChunkPart, type ChunkStat, type ChunkStore, type PutResult } from "@holdfast/core/chunk-store";
import type { ReadChunk } from "@holdfast/core/chunk-transport";
import type { ChunkId } from "@holdfast/core/chunking";
import { limits } from "@holdfast/core/kernel";
import type { LatencyMeter } from "@holdfast/core/node-registration";
import type { ChunkMemory } from "../chunk-memory.ts";
import { NodeError } from "../errors.ts";
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
  return readWithin(memory.sending, store, id, gone, (into) => latencies.read.measure(() => store.get(id, { into })));
}

/** Likewise, for another node that makes a copy: neither a user's read nor one that says how long theirs take. */
export function lendChunk({ store, memory }: ChunkAccess, id: ChunkId, gone: AbortSignal): Promise<ReadChunk> {
  return readWithin(memory.lending, store, id, gone, (into) => store.get(id, { into, pastCache: true }));
}

/** As `readChunk`, with memory for as much as must be read of it. Rejects with `chunk.bad_part`, too. */
export async function readPart(access: ChunkAccess, id: ChunkId, part: ChunkPart, gone: AbortSignal): Promise<ReadChunk> {
  const { store, memory, latencies } = access;
  const { length } = await requireHeld(store, id);
  if (part.to > length) throw new NodeError("chunk.bad_part", `The chunk ends at ${length}, before ${part.to}.`);
  const { from, to } = blocksAround(part, length);
  const read = (into: Buffer): Promise<Buffer | undefined> =>
    latencies.read.measure(
      () => store.getPart(id, part, { into }),
      (bytes) => bytes !== undefined,
    );
  const found = await readInto(await memory.sending.acquire(to - from, gone), read);
  if (found !== undefined) return found;
  const whole = await readChunk(access, id, gone);
  return { ...whole, bytes: whole.bytes.subarray(part.from, part.to) };
}

async function readWithin(
  budget: ChunkBuffers,
  store: ChunkStore,
  id: ChunkId,
  gone: AbortSignal,
  read: (into: Buffer) => Promise<Buffer>,
): Promise<ReadChunk> {
  const { length } = await requireHeld(store, id);
  const memory = await budget.acquire(Math.min(length, limits.chunkBytesMax), gone);
  return (await readInto(memory, read))!;
}

/** Undefined when nothing was read; then, and when it fails, the memory is given back. */
async function readInto(memory: ChunkBuffer, read: (into: Buffer) => Promise<Buffer | undefined>): Promise<ReadChunk | undefined> {
  let bytes: Buffer | undefined;
  try {
    bytes = await read(memory.bytes);
  } finally {
    if (bytes === undefined) memory.release();
  }
  return bytes && { bytes, memory };
}

/** Throws `chunk.not_found`. */
export async function requireHeld(store: ChunkStore, id: ChunkId): Promise<ChunkStat> {
  const held = await store.stat(id);
  if (held === undefined) throw notFound(id);
  return held;
}

/** A chunk that was there already costs no write, and tells nothing of how long one takes. */
const wasStored = ({ stored }: PutResult): boolean => stored;
