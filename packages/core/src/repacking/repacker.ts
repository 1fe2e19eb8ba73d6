/**
 * Repacking: what is left of a pack when most of its files are deleted becomes a chunk of its own, so that the rest of the pack is
 * garbage.
 *
 * Nothing is destroyed here. The bytes that files need are read, verified and made durable as any chunk; then their extents move to
 * it, in one transaction; and the old chunk, which nothing refers to any more, goes the way of all garbage, with its graces and its
 * brakes. Whoever reads from it at that moment has until then. A crash leaves at worst a chunk that no row names.
 *
 * One runs in every gateway. Two that are at the same pack write the same chunk, and the second finds nothing left to move.
 */
import { inTransaction } from "@holdfast/db";
import type pg from "pg";
import { createWorker, type Worker } from "../background/index.ts";
import { type ChunkId, chunkIdOf } from "../chunking/index.ts";
import { DomainError, limits, type Logger } from "../kernel/index.ts";
import type { ChunkReplicator } from "../replication/index.ts";
import { moveExtents } from "./move-extents.ts";
import { findSparsePacks, readKeptBytes, type SparsePack } from "./sparse-packs.ts";

export interface RepackerOptions {
  pool: pg.Pool;
  /** A chunk's bytes, verified, from the best of its copies. */
  read: (chunk: SparsePack, options: { signal: AbortSignal }) => Promise<Buffer>;
  replicator: Pick<ChunkReplicator, "write">;
  logger: Logger;
  intervalMs?: number;
}

export function createRepacker({ intervalMs = limits.repackIntervalMs, ...parts }: RepackerOptions): Worker {
  const { pool, logger } = parts;
  return createWorker({
    name: "repacker",
    intervalMs,
    onError: (error) => logger.warn({ err: error }, "packs cannot be looked through"),
    async step(signal) {
      let [packs, freedBytes] = [0, 0];
      for await (const pack of findSparsePacks(pool)) {
        if (signal.aborted) break;
        const freed = await tryRepack(parts, pack, signal);
        packs += freed > 0 ? 1 : 0;
        freedBytes += freed;
      }
      if (packs > 0) logger.info({ packs, freedBytes }, "what is left of packs was written anew");
    },
  });
}

/** One that cannot be read or written now waits for the next time. */
async function tryRepack(parts: Omit<RepackerOptions, "intervalMs">, pack: SparsePack, signal: AbortSignal): Promise<number> {
  try {
    return await repack(parts, pack, signal);
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    parts.logger.warn({ err: error, chunk: pack.id }, "what is left of a pack could not be written anew; it will be tried again");
    return 0;
  }
}

/** Returns how many bytes nothing refers to any more. */
async function repack(
  { pool, read, replicator }: Omit<RepackerOptions, "intervalMs">,
  pack: SparsePack,
  signal: AbortSignal,
): Promise<number> {
  const { kept, asOf } = await readKeptBytes(pool, pack.id);
  if (kept.length === 0) return 0;
  const bytes = await read(pack, { signal });
  const rest = Buffer.concat(kept.map(({ offset, length }) => bytes.subarray(offset, offset + length)));
  const id = chunkIdOf(rest);
  const nodeIds = await write(replicator, id, rest);
  const to = { id, length: rest.length, nodeIds, asOf };
  const moved = await inTransaction(pool, (tx) => moveExtents(tx, { from: pack.id, kept, to }));
  return moved > 0 ? pack.length - rest.length : 0;
}

/** Nobody is in a hurry: the last copy counts from the start. */
async function write(replicator: RepackerOptions["replicator"], id: ChunkId, bytes: Buffer): Promise<number[]> {
  const { nodeIds, tail } = await replicator.write(id, bytes);
  return [...nodeIds, ...(await tail).nodeIds].toSorted((a, b) => a - b);
}
