/**
 * Moves a disk's chunks out of their files, in the background and out of the way of whoever is served.
 *
 * Chunk by chunk, as many at once as there is memory for. What could not be moved, because the disk is full or a chunk had
 * just been written, is tried again after a while: a round begins with what is left, whatever the last one did.
 */
import { createWorker } from "../../background/index.ts";
import type { ChunkBuffers } from "../../byte-budget/index.ts";
import { limits, type Logger, MINUTE_MS, SECOND_MS } from "../../kernel/index.ts";
import type { MigratingChunkStore } from "./migrating-chunk-store.ts";

export interface MoveOptions {
  store: MigratingChunkStore;
  memory: ChunkBuffers;
  /** Waits for the turn of so many bytes. */
  pace: (bytes: number, signal: AbortSignal) => Promise<void>;
  logger: Logger;
}

const ROUND_INTERVAL_MS = 30 * SECOND_MS;
const REPORT_INTERVAL_MS = MINUTE_MS;

/** Returns what stops it; it goes on at the next start. */
export function moveChunks(options: MoveOptions): () => Promise<void> {
  const { store, logger } = options;
  let isDone = false;
  const report = async (): Promise<void> => {
    const progress = await store.progress();
    if (progress !== undefined) logger.info(progress, "chunks move into segments");
  };
  const reporting = setInterval(() => void report(), REPORT_INTERVAL_MS);
  const worker = createWorker({
    name: "migration",
    intervalMs: ROUND_INTERVAL_MS,
    async step(signal) {
      if (isDone) return;
      await moveAll(options, signal);
      if (signal.aborted || !(await store.finish())) return;
      isDone = true;
      clearInterval(reporting);
      logger.info("all chunks are in segments");
    },
    onError: (error) => logger.warn({ err: error }, "chunks cannot move into segments; it will be tried again"),
  });
  void report();
  void worker.start();
  return async () => {
    clearInterval(reporting);
    await worker.stop();
  };
}

async function moveAll({ store, memory, pace }: MoveOptions, signal: AbortSignal): Promise<void> {
  const chunks = store.left();
  const lane = async (): Promise<void> => {
    for await (const { id, length } of chunks) {
      await pace(length, signal);
      if (signal.aborted) return;
      const buffer = await memory.acquire(Math.min(length, limits.chunkBytesMax), signal);
      try {
        await store.moveOn(id, buffer.bytes);
      } finally {
        buffer.release();
      }
    }
  };
  await Promise.all(Array.from({ length: limits.migrationChunksAtOnce }, lane));
}
