/**
 * Repacking: what is left of a pack when most of its files are deleted becomes a chunk of its own, so that the rest of the pack is
 * garbage.
 *
 * Nothing is destroyed here. The bytes that files need are read, verified and made durable as any chunk; then their extents move to
 * it, in one transaction; and the old chunk, which nothing refers to any more, goes the way of all garbage, with its graces and its
 * brakes. Whoever reads from it at that moment has until then. A crash leaves at worst a chunk that no row names.
 *
 * One runs in every gateway. Two that are at the same pack write the same chunk, and the second finds nothing left to move. It is
 * in no hurry: it rests as long as it works.
 */
import { setTimeout as delay } from "node:timers/promises";
import { inTransaction } from "@holdfast/db";
import type pg from "pg";
import { createWorker, type Worker } from "../background/index.ts";
import { type ChunkId, chunkIdOf } from "../chunking/index.ts";
import { HOUR_MS, limits, type Logger, SECOND_MS } from "../kernel/index.ts";
import type { ChunkReplicator } from "../replication/index.ts";
import { type MovedBytes, moveExtents } from "./move-extents.ts";
import { findSparsePacks, isSparse, type KeptBytes, readKept, type SparsePack } from "./sparse-packs.ts";

export interface RepackerOptions {
  pool: pg.Pool;
  /** A chunk's bytes, verified, from the best of its copies. */
  read: (chunk: SparsePack & { replicas: readonly number[] }, options: { signal: AbortSignal }) => Promise<Buffer>;
  replicator: Pick<ChunkReplicator, "write">;
  logger: Logger;
  /** How long garbage waits at each step. Packs are looked through more often than that, for they are garbage only afterwards. */
  graceMs?: number;
}

type RepackParts = Omit<RepackerOptions, "graceMs">;

const INTERVAL_MS_MAX = 6 * HOUR_MS;

export function createRepacker({ graceMs = limits.gcGraceMs, ...parts }: RepackerOptions): Worker {
  const { pool, logger } = parts;
  return createWorker({
    name: "repacker",
    intervalMs: Math.min(Math.max(graceMs / 4, SECOND_MS), INTERVAL_MS_MAX),
    onError: (error) => logger.warn({ err: error }, "packs cannot be looked through; it will be tried again"),
    async step(signal) {
      const pass = new Pass(parts, signal);
      try {
        for await (const packs of findSparsePacks(pool)) {
          await pass.repackAll(packs);
          if (signal.aborted) break;
        }
      } finally {
        pass.report();
      }
    },
  });
}

/** One look through all chunks. A pack that cannot be read or written now waits for the next one, and holds up no other. */
class Pass {
  readonly #parts: RepackParts;
  readonly #signal: AbortSignal;
  #packs = 0;
  #freedBytes = 0;
  #failures: unknown[] = [];
  #workedSinceMs = performance.now();

  constructor(parts: RepackParts, signal: AbortSignal) {
    this.#parts = parts;
    this.#signal = signal;
  }

  /** One after the other, with a rest behind each, and behind all. */
  async repackAll(packs: readonly SparsePack[]): Promise<void> {
    for (const pack of packs) {
      if (this.#signal.aborted) return;
      await this.#tryRepack(pack);
      await this.#rest();
    }
    await this.#rest();
  }

  report(): void {
    const { logger } = this.#parts;
    const { length: failed } = this.#failures;
    if (this.#packs > 0) logger.info({ packs: this.#packs, freedBytes: this.#freedBytes }, "what is left of packs was written anew");
    if (failed > 0)
      logger.warn({ err: this.#failures[0], failed }, "what is left of some packs could not be written anew; it will be tried again");
  }

  async #tryRepack(pack: SparsePack): Promise<void> {
    try {
      const freedBytes = await repack(this.#parts, pack, this.#signal);
      this.#freedBytes += freedBytes;
      if (freedBytes > 0) this.#packs++;
    } catch (error) {
      if (!this.#signal.aborted) this.#failures.push(error);
    }
  }

  /** Chance keeps gateways that were started at one moment from going on in step. */
  async #rest(): Promise<void> {
    const workedMs = performance.now() - this.#workedSinceMs;
    await delay(workedMs * (0.5 + Math.random()), undefined, { signal: this.#signal }).catch(() => undefined); // told to stop
    this.#workedSinceMs = performance.now();
  }
}

/** Returns how many bytes nothing refers to any more. */
async function repack({ pool, read, replicator }: RepackParts, pack: SparsePack, signal: AbortSignal): Promise<number> {
  const found = await readKept(pool, pack.id);
  if (found === undefined) return 0;
  const { kept, replicas, asOf } = found;
  if (!isSparse(sumOf(kept), pack.length)) return 0;
  const bytes = await read({ ...pack, replicas }, { signal });
  const { rest, moved } = takeOut(kept, bytes, pack);
  const id = chunkIdOf(rest);
  const nodeIds = await write(replicator, id, rest);
  const to = { id, length: rest.length, nodeIds, asOf };
  const extents = await inTransaction(pool, (tx) => moveExtents(tx, { from: pack.id, moved, to }));
  return extents > 0 ? pack.length - rest.length : 0;
}

/** What is kept of a pack, and where in it each part begins. Throws when the pack does not have all that is said of it. */
function takeOut(kept: readonly KeptBytes[], bytes: Buffer, { id, length: packLength }: SparsePack): { rest: Buffer; moved: MovedBytes[] } {
  const isThere = ({ offset, length }: KeptBytes): boolean => offset >= 0 && length > 0 && offset + length <= bytes.length;
  if (bytes.length !== packLength || !kept.every(isThere)) {
    throw new Error(`the chunk ${id} does not have all the bytes that its row and its extents say: npm run fsck tells more`);
  }
  let end = 0;
  const moved = kept.map((part) => ({ ...part, movedTo: (end += part.length) - part.length }));
  return { rest: Buffer.concat(kept.map(({ offset, length }) => bytes.subarray(offset, offset + length))), moved };
}

function sumOf(kept: readonly KeptBytes[]): number {
  return kept.reduce((sum, { length }) => sum + length, 0);
}

/** Nobody is in a hurry: the last copy counts from the start. */
async function write(replicator: RepackParts["replicator"], id: ChunkId, bytes: Buffer): Promise<number[]> {
  const { nodeIds, tail } = await replicator.write(id, bytes);
  return [...nodeIds, ...(await tail).nodeIds].toSorted((a, b) => a - b);
}
