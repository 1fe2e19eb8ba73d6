/**
 * From a request's body to an upload's committed bytes: cut, hash, store, commit.
 *
 * Each buffer of the body becomes one chunk; several are on their way to the nodes at once, and they are committed in
 * their order. Whatever ends the body early (the client vanishes, falls silent, another request wants the upload), the
 * bytes that did arrive become a short chunk and count. Only a body with a checksum counts wholly or not at all.
 */
import type pg from "pg";
import type { ChunkBuffer, ChunkBuffers } from "../byte-budget/index.ts";
import { limits } from "../kernel/index.ts";
import { type Checksum, checkAgainst } from "./checksum.ts";
import { commitChunks } from "./commit-chunks.ts";
import { CommitLine } from "./commit-line.ts";
import { beginCommit, storeChunk, type StoreParts } from "./store-chunk.ts";
import type { HoldPolicy, UploadBody } from "./upload-body.ts";

export interface ReceiverParts extends StoreParts {
  pool: pg.Pool;
  buffers: ChunkBuffers;
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
    intervalMs: limits.uploadCommitIntervalMs,
    onFailure: () => body.abandon(),
    async commit(chunks) {
      const position = { uploadId, offset: received.offset, copiesMin: parts.replicator.writeQuorum };
      const committed = chunks.map((chunk) => beginCommit(chunk, parts.lateReplicas));
      received.offset = await commitChunks(parts.pool, position, chunks);
      for (const done of committed) done();
      received.fewestCopies = Math.min(received.fewestCopies, ...chunks.map(({ copies }) => copies));
    },
  });
  try {
    await cut(parts, reception, (bytes, buffer) => {
      check?.update(bytes);
      line.add(storeChunk(parts, bytes, buffer));
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
  { buffers, chunkBytes }: ReceiverParts,
  { body, room }: Pick<Reception, "body" | "room">,
  onChunk: (bytes: Buffer, buffer: ChunkBuffer) => Promise<void>,
): Promise<void> {
  let takenBytes = 0;
  while (await body.arrives()) {
    const { bytes: roomBytes, tooMany } = await room(takenBytes);
    if (roomBytes <= 0) throw tooMany();
    const buffer = await buffers.acquire(Math.min(roomBytes, chunkBytes, body.leftBytes));
    const length = await body.fill(buffer.bytes, holdPolicy(buffers));
    if (length === 0) return buffer.release(); // abandoned while it waited for the buffer
    takenBytes += length;
    if (length === roomBytes && (await body.arrives())) {
      buffer.release();
      throw tooMany();
    }
    await onChunk(buffer.bytes.subarray(0, length), buffer);
  }
}

/** While others wait for memory, nobody keeps a buffer half full for long. */
export function holdPolicy(buffers: ChunkBuffers): HoldPolicy {
  return { holdMs: limits.uploadBufferHoldMs, isContended: () => buffers.contended };
}
