/**
 * Reads one chunk, or a part of it, from the best of its copies.
 *
 * A copy that fails is replaced by the next, and one that takes too long is overtaken by it. The node's client has compared
 * the bytes with the chunk's name, or a part with its node's seal, before they get here, so a wrong byte never does.
 */
import { ChunkBuffers } from "../byte-budget/index.ts";
import { type ChunkPart, type ChunkStore, type ReadOptions, viewFor } from "../chunk-store/index.ts";
import type { ChunkId } from "../chunking/index.ts";
import { limits } from "../kernel/index.ts";
import type { Membership, NodeSnapshot } from "../membership/index.ts";
import type { NodeStandings } from "../node-standing/index.ts";
import { rankCopies } from "./copies.ts";
import { type CopyFailure, CopyRace } from "./copy-race.ts";
import { DownloadError } from "./errors.ts";
import type { StoredChunk } from "./extents.ts";

export type BadCopyReason = "chunk.corrupt" | "chunk.not_found";

export interface ChunkReaderOptions {
  membership: Membership;
  clients: { clientFor(node: NodeSnapshot): ChunkStore };
  standings: NodeStandings;
  /** The node itself says that it has no good copy. */
  onBadCopy: (id: ChunkId, node: NodeSnapshot, reason: BadCopyReason) => void;
}

export interface ReadChunkOptions {
  /** Nothing else is answered; the whole chunk when it is undefined. */
  part?: ChunkPart | undefined;
  signal: AbortSignal;
  into?: Buffer;
}

export interface ChunkReader {
  /**
   * Rejects with `content.unavailable` when every copy failed, and with the signal's reason when aborted. `into` is memory
   * for what is read; it is free for others again when the answer is a view of it, and perhaps never otherwise.
   */
  read(chunk: StoredChunk, options: ReadChunkOptions): Promise<Buffer>;
  counts(): ReadCounts;
}

/** Since the start. */
export interface ReadCounts {
  failedCopies: number;
  overtakenCopies: number;
}

export function createChunkReader({ membership, clients, standings, onBadCopy }: ChunkReaderOptions): ChunkReader {
  let failedCopies = 0;
  let overtakenCopies = 0;
  const spare = new ChunkBuffers(limits.downloadSpareBytes);

  return {
    counts: () => ({ failedCopies, overtakenCopies }),
    async read(chunk, { part, signal, into }) {
      standings.countRead();
      const race = new CopyRace({
        copies: rankCopies(chunk.replicas, membership, standings),
        standings,
        into,
        get: (node, options) => {
          const client = clients.clientFor(node);
          return part === undefined ? client.get(chunk.id, options) : readPart(client, chunk, part, { ...options, spare });
        },
        onFailure: ({ node, error: { code } }) => {
          failedCopies++;
          if (code === "chunk.corrupt" || code === "chunk.not_found") onBadCopy(chunk.id, node, code);
        },
        exhausted: (failures) => unavailable(chunk, failures),
      });
      try {
        return await race.run(signal);
      } finally {
        overtakenCopies += race.overtaken;
      }
    },
  };
}

/** From a node that cannot be asked for parts, out of the whole chunk, within memory of their own: many may ask at once for a little. */
async function readPart(
  client: ChunkStore,
  { id, length }: StoredChunk,
  part: ChunkPart,
  { spare, into, signal }: ReadOptions & { spare: ChunkBuffers },
): Promise<Buffer> {
  const bytes = await client.getPart(id, part, { into, signal });
  if (bytes !== undefined) return bytes;
  const memory = await spare.acquire(length, signal);
  try {
    const whole = await client.get(id, { into: memory.bytes, signal });
    const copy = viewFor(part.to - part.from, into);
    return copy.subarray(0, whole.copy(copy, 0, part.from, part.to));
  } finally {
    memory.release();
  }
}

function unavailable(chunk: StoredChunk, unordered: readonly CopyFailure[]): DownloadError {
  const failures = unordered.toSorted((a, b) => a.node.id - b.node.id);
  const names = failures.map(({ node }) => node.name).join(", ");
  const message =
    failures.length === 0
      ? "No node that is known holds a copy of a part of this file. It can be read again when such a node is back."
      : `No copy of a part of this file can be read right now (tried ${names}). It can be read again when one of these nodes is back.`;
  const nodes = failures.map(({ node, error }) => ({ id: node.id, name: node.name, reason: error.code }));
  return new DownloadError("content.unavailable", message, { chunk: chunk.id, nodes }, { cause: failures[0]?.error });
}
