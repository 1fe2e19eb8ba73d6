/**
 * From a request's body to an upload's committed bytes: cut, hash, store, commit.
 *
 * Each buffer of the body becomes one chunk; several are on their way to the nodes at once, and they are committed in
 * their order. Whatever ends the body early (the client vanishes, falls silent, another request wants the upload), the
 * bytes that did arrive become a short chunk and count. Only a body with a checksum counts wholly or not at all.
 */
import type pg from "pg";
import { chunkIdOf } from "../chunking/index.ts";
import { limits } from "../kernel/index.ts";
import type { Membership } from "../membership/index.ts";
import type { ChunkReplicator } from "../replication/index.ts";
import type { BufferBudget, PooledBuffer } from "./buffer-budget.ts";
import { type Checksum, checkAgainst } from "./checksum.ts";
import { commitChunks } from "./commit-chunks.ts";
import { CommitLine, type StoredChunk } from "./commit-line.ts";
import { lookUpChunk } from "./known-chunks.ts";
import type { LateReplicas } from "./late-replicas.ts";
import type { UploadBody } from "./upload-body.ts";

export interface ReceiverParts {
  pool: pg.Pool;
  replicator: ChunkReplicator;
  membership: Membership;
  budget: BufferBudget;
  lateReplicas: LateReplicas;
  chunkBytes: number;
}

export interface Reception {
  uploadId: string;
  /** Where the upload stands. */
  offset: number;
  /** Asked before each chunk, with the bytes of this body so far, because others use up room meanwhile. */
  room: (takenBytes: number) => Promise<Room>;
  body: UploadBody;
  checksum: Checksum | undefined;
}

/** What may still be taken of a body. */
export interface Room {
  bytes: number;
  /** What to reject with when it has more. */
  tooMany: () => Error;
}

export interface Received {
  offset: number;
  /** The fewest copies that any of the chunks has. */
  fewestCopies: number;
}

/**
 * Resolves when the body has ended and what arrived of it is committed. Rejects with an `UploadError`, a
 * `ReplicationError` or what the reception names; what was committed before stays, unless there is a checksum.
 */
export async function receive(parts: ReceiverParts, { checksum, ...reception }: Reception): Promise<Received> {
  const { uploadId, offset, body } = reception;
  const received: Received = { offset, fewestCopies: parts.replicator.replicas };
  const check = checksum && checkAgainst(checksum);
  const line = new CommitLine({
    held: check !== undefined,
    onFailure: () => body.abandon(),
    async commit(chunks) {
      received.offset = await commit(parts, uploadId, received.offset, chunks);
      received.fewestCopies = Math.min(received.fewestCopies, ...chunks.map(({ copies }) => copies));
    },
  });
  try {
    await cut(parts, reception, (bytes, buffer) => {
      check?.update(bytes);
      line.add(store(parts, bytes, buffer));
      return line.room(limits.uploadChunksInFlight);
    });
    await line.stored();
    if (check !== undefined && body.isComplete) {
      check.verify();
      line.open();
    }
    await line.committed();
  } catch (error) {
    await line.committed().catch(() => undefined); // what lies before the failure counts; the first error is the one to tell
    throw error;
  }
  return received;
}

/** Cuts a body into buffers. The last one is passed on only once the body is known to end with it. Rejects with `tooMany`. */
async function cut(
  { budget, chunkBytes }: ReceiverParts,
  { body, room }: Pick<Reception, "body" | "room">,
  onChunk: (bytes: Buffer, buffer: PooledBuffer) => Promise<void>,
): Promise<void> {
  let takenBytes = 0;
  while (await body.arrives()) {
    const { bytes: roomBytes, tooMany } = await room(takenBytes);
    if (roomBytes <= 0) throw tooMany();
    const buffer = await budget.acquire();
    const target = buffer.bytes.subarray(0, Math.min(roomBytes, chunkBytes));
    const length = await body.fill(target, { holdMs: limits.uploadBufferHoldMs, isContended: budget.isContended });
    if (length === 0) return buffer.release(); // abandoned while it waited for the buffer
    takenBytes += length;
    if (length === roomBytes && (await body.arrives())) {
      buffer.release();
      throw tooMany();
    }
    await onChunk(target.subarray(0, length), buffer);
  }
}

/** Resolves when the chunk is on the write quorum. The buffer goes back when no node needs it any more. */
async function store(
  { pool, membership, replicator, lateReplicas }: ReceiverParts,
  bytes: Buffer,
  buffer: PooledBuffer,
): Promise<StoredChunk> {
  try {
    const id = chunkIdOf(bytes);
    const { length } = bytes;
    const { copies, asOf } = await lookUpChunk(pool, membership, id, replicator.writeQuorum);
    if (copies !== undefined) {
      buffer.release();
      return { id, length, nodeIds: undefined, asOf, copies, isCommitted: false };
    }
    const { nodeIds, copiesExpected, tail } = await replicator.write(id, bytes);
    const chunk = { id, length, nodeIds: [...nodeIds], asOf, copies: copiesExpected, isCommitted: false };
    void tail.then((late) => {
      buffer.release(late.bytesInUse);
      chunk.nodeIds.push(...late.nodeIds);
      if (chunk.isCommitted) lateReplicas.add(id, late.nodeIds);
      return undefined;
    });
    return chunk;
  } catch (error) {
    buffer.release();
    throw error;
  }
}

/** Replicas that arrive while the statement runs are not in it, and are added after it. */
async function commit(
  { pool, lateReplicas, replicator }: ReceiverParts,
  uploadId: string,
  offset: number,
  chunks: readonly StoredChunk[],
): Promise<number> {
  const told = chunks.map(({ nodeIds }) => nodeIds?.length);
  const end = await commitChunks(pool, { uploadId, offset, copiesMin: replicator.writeQuorum }, chunks);
  for (const [index, chunk] of chunks.entries()) {
    chunk.isCommitted = true;
    lateReplicas.add(chunk.id, chunk.nodeIds?.slice(told[index]) ?? []);
  }
  return end;
}
