import type { ChunkBuffer } from "../byte-budget/index.ts";
import { type ChunkId, chunkIdOf } from "../chunking/index.ts";
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
export async function storeChunk(parts: StoreParts, bytes: Buffer, buffer: ChunkBuffer): Promise<StoredChunk> {
  try {
    const id = chunkIdOf(bytes);
    const { copies, asOf } = await parts.lookUp(id, parts.replicator.writeQuorum);
    if (copies === undefined) return await writeChunk(parts, { id, bytes, asOf }, buffer);
    buffer.release();
    return { id, length: bytes.length, nodeIds: undefined, asOf, copies, isCommitted: false, settled: Promise.resolve() };
  } catch (error) {
    buffer.release();
    throw error;
  }
}

interface ChunkToWrite {
  id: ChunkId;
  bytes: Buffer;
  /** A time of the database's from before. */
  asOf: Date;
}

/** Likewise, whether or not the chunk is known. When it rejects, the buffer is the caller's still. */
export async function writeChunk(
  { replicator, lateReplicas }: Pick<StoreParts, "replicator" | "lateReplicas">,
  { id, bytes, asOf }: ChunkToWrite,
  buffer: ChunkBuffer,
): Promise<StoredChunk> {
  const { nodeIds, copiesExpected, tail } = await replicator.write(id, bytes);
  const settled = tail.then((late) => {
    buffer.release({ reusable: !late.bytesInUse });
    chunk.nodeIds.push(...late.nodeIds);
    if (chunk.isCommitted) lateReplicas.add(id, late.nodeIds);
    return undefined;
  });
  const chunk = { id, length: bytes.length, nodeIds: [...nodeIds], asOf, copies: copiesExpected, isCommitted: false, settled };
  return chunk;
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
