/** The chunk store over gRPC: the same store, budgets and epochs as the routes, and no byte path of its own. */
import type { ChunkBuffer } from "@holdfast/core/byte-budget";
import { KiB, limits } from "@holdfast/core/kernel";
import type { ServiceHandlers, StorageService } from "@holdfast/core/protocol";
import { checked, epochShape, sourcesShape } from "../command-shapes.ts";
import type { EpochMemory } from "../epoch-memory.ts";
import { NodeError } from "../errors.ts";
import type { Replicate } from "../replication.ts";
import { requireChunkId } from "../routes/chunk-names.ts";
import { type ChunkAccess, readChunk, requireHeld, writeChunk } from "../transport/chunk-access.ts";
import { receiveChunk } from "./received-chunk.ts";

const FRAME_BYTES = 64 * KiB;

export interface StorageServiceOptions extends ChunkAccess {
  epochs: EpochMemory;
  replicate: Replicate;
  /** Throws while the node takes and serves nothing. */
  admit: () => void;
}

export function createStorageService(options: StorageServiceOptions): ServiceHandlers<typeof StorageService> {
  const { store, memory, epochs, replicate, admit } = options;
  return {
    async putChunk(requests, { gone }) {
      admit();
      // The longest chunk's room, before anything is read: what grpc-js reads ahead of us is not in the budget.
      return await within(await memory.receiving.acquire(limits.chunkBytesMax, gone), async (buffer) => {
        const { id, bytes } = await receiveChunk(requests, buffer);
        return await writeChunk(options, id, bytes);
      });
    },

    async *getChunk(request, { gone }) {
      admit();
      const { bytes, memory } = await readChunk(options, requireChunkId(request.id), gone);
      try {
        for (let at = 0; at < bytes.length; at += FRAME_BYTES) {
          yield { length: at === 0 ? bytes.length : 0, data: bytes.subarray(at, at + FRAME_BYTES) };
        }
      } finally {
        memory.release();
      }
    },

    async statChunk(request) {
      admit();
      const { length } = await requireHeld(store, requireChunkId(request.id));
      return { length };
    },

    async listChunks({ after, limit }) {
      admit();
      if (limit > limits.listPageMax) throw new NodeError("list.bad_page", `"limit" is a number from 1 to ${limits.listPageMax}.`);
      return { chunks: await store.list(after === "" ? undefined : requireChunkId(after), limit || limits.listPageMax) };
    },

    async deleteChunk(request) {
      admit();
      const id = requireChunkId(request.id);
      return { deleted: await epochs.under(epochOf(request), () => store.delete(id)) };
    },

    async replicateChunk(request, { gone }) {
      admit();
      const id = requireChunkId(request.id);
      const given = request.sources.map(({ nodeId, host, port }) => ({ id: nodeId, host, port }));
      const sources = checked(sourcesShape, given, "sources");
      await epochs.hear(epochOf(request));
      return await replicate(id, sources, gone);
    },

    async healthCheck() {
      admit();
      const { capacityBytes, freeBytes, usedBytes, chunkCount, writable, reason } = await store.stats();
      return {
        capacityBytes: BigInt(capacityBytes),
        freeBytes: BigInt(freeBytes),
        usedBytes: BigInt(usedBytes),
        chunkCount: BigInt(chunkCount),
        writable,
        writeRefusal: reason,
        epoch: BigInt(epochs.highest),
      };
    },
  };
}

async function within<T>(buffer: ChunkBuffer, work: (bytes: Buffer) => Promise<T>): Promise<T> {
  try {
    return await work(buffer.bytes);
  } finally {
    buffer.release();
  }
}

function epochOf({ epoch }: { epoch: bigint }): number {
  return checked(epochShape, Number(epoch), "epoch");
}
