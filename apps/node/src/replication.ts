/** How a node fetches a chunk from other nodes: the copy it has afterwards was verified on its way in and on its own disk. */
import type { ChunkBuffers } from "@holdfast/core/byte-budget";
import { type ChunkStore, ChunkStoreError } from "@holdfast/core/chunk-store";
import type { ChunkId } from "@holdfast/core/chunking";
import { limits } from "@holdfast/core/kernel";
import type { BadSource, BadSourceReason, NodeAddress, NodeClients, Replicated } from "@holdfast/core/node-client";

export interface ReplicationOptions {
  store: ChunkStore;
  clients: Pick<NodeClients, "sourceFor">;
  memory: ChunkBuffers;
  sourceTimeoutMs?: number;
}

export type Replicate = (id: ChunkId, sources: readonly NodeAddress[], signal: AbortSignal) => Promise<Replicated>;

/** As `NodeCommands.replicate` has it. Several at once wait for their memory. */
export function createReplication(options: ReplicationOptions): Replicate {
  const { store, clients, memory, sourceTimeoutMs = limits.replicateSourceTimeoutMs } = options;

  /** Tries the sources in order. Undefined for one that is bad. */
  async function fetch(id: ChunkId, sources: readonly NodeAddress[], into: Buffer, gone: AbortSignal) {
    const bad: BadSource[] = [];
    for (const source of sources) {
      gone.throwIfAborted();
      const signal = AbortSignal.any([gone, AbortSignal.timeout(sourceTimeoutMs)]);
      try {
        return { bytes: await clients.sourceFor(source).get(id, { into, signal }), bad };
      } catch (error) {
        bad.push({ nodeId: source.id, reason: reasonOf(error) });
      }
    }
    gone.throwIfAborted();
    throw new ChunkStoreError("chunk.no_source", "None of the nodes named as sources could give the chunk whole.", { id, bad });
  }

  return async (id, sources, signal) => {
    const buffer = await memory.acquire(limits.chunkBytesMax, signal);
    try {
      const held = await wholeCopy(store, id, buffer.bytes);
      if (held !== undefined) return { stored: false, length: held, bad: [] };
      const { bytes, bad } = await fetch(id, sources, buffer.bytes, signal);
      const { stored } = await store.put(id, bytes);
      const { length } = await store.get(id, { into: buffer.bytes, pastCache: true });
      return { stored, length, bad };
    } finally {
      buffer.release();
    }
  };
}

/** Its length; undefined when there is none. */
async function wholeCopy(store: ChunkStore, id: ChunkId, into: Buffer): Promise<number | undefined> {
  try {
    return (await store.get(id, { into, pastCache: true })).length;
  } catch (error) {
    if (error instanceof ChunkStoreError && (error.code === "chunk.not_found" || error.code === "chunk.corrupt")) return undefined;
    throw error;
  }
}

/** A source that fails for a reason of its own is as good as away. */
function reasonOf(error: unknown): BadSourceReason {
  const code = error instanceof ChunkStoreError ? error.code : undefined;
  return code === "chunk.corrupt" || code === "chunk.not_found" ? code : "store.unreachable";
}
