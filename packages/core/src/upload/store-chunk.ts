import type { ChunkBuffer } from "../byte-budget/index.ts";
import { chunkIdOf } from "../chunking/index.ts";
import type { ChunkReplicator } from "../replication/index.ts";
import type { ChunkToCommit } from "./commit-chunks.ts";
import type { LookUpChunk } from "./known-chunks.ts";
import type { LateReplicas } from "./late-replicas.ts";

/** A chunk that is durable on the write quorum. */
export interface StoredChunk extends ChunkToCommit {
  /** Copies it has or will have, if all goes well. */
  copies: number;
  /** Whether its row is in the database. */
  isCommitted: boolean;
  /** Resolves when no copy is under way any more. */
  settled: Promise<void>;
}

export interface StoreParts {
  lookUp: LookUpChunk;
  replicator: ChunkReplicator;
  lateReplicas: LateReplicas;
}

/** Resolves when the chunk is on the write quorum. The buffer goes back when no node needs it any more. */
export async function storeChunk(
  { lookUp, replicator, lateReplicas }: StoreParts,
  bytes: Buffer,
  buffer: ChunkBuffer,
): Promise<StoredChunk> {
  try {
    const id = chunkIdOf(bytes);
    const { length } = bytes;
    const { copies, asOf } = await lookUp(id, replicator.writeQuorum);
    if (copies !== undefined) {
      buffer.release();
      return { id, length, nodeIds: undefined, asOf, copies, isCommitted: false, settled: Promise.resolve() };
    }
    const { nodeIds, copiesExpected, tail } = await replicator.write(id, bytes);
    const settled = tail.then((late) => {
      buffer.release({ reusable: !late.bytesInUse });
      chunk.nodeIds.push(...late.nodeIds);
      if (chunk.isCommitted) lateReplicas.add(id, late.nodeIds);
      return undefined;
    });
    const chunk = { id, length, nodeIds: [...nodeIds], asOf, copies: copiesExpected, isCommitted: false, settled };
    return chunk;
  } catch (error) {
    buffer.release();
    throw error;
  }
}

/**
 * To be called when the chunk's row is about to be written; what it returns, once that is committed. Replicas that arrive in
 * between are not in the row, and are added to it.
 */
export function beginCommit(chunk: StoredChunk, lateReplicas: LateReplicas): () => void {
  const told = chunk.nodeIds?.length;
  return () => {
    chunk.isCommitted = true;
    lateReplicas.add(chunk.id, chunk.nodeIds?.slice(told) ?? []);
  };
}
