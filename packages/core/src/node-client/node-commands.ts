/**
 * What the controller tells a node to do, beside keeping chunks.
 *
 * A command that changes something carries the epoch of the leader who gives it. A node remembers the highest it ever heard
 * and refuses a lower one (`store.stale_epoch`) before it does anything: a leader who was replaced without noticing can do
 * no harm. Every command may be repeated. Any may reject with `store.unreachable`; what became of it is then unknown.
 */
import { z } from "zod";
import type { LostChunk, Purged, TrashedChunk } from "../chunk-store/index.ts";
import type { ChunkId } from "../chunking/index.ts";
import { type ActiveFault, activeFault, type NodeFault } from "../fault-simulation/index.ts";
import { limits } from "../kernel/index.ts";
import type { ScrubStatus } from "../scrub/index.ts";
import { byteCount, chunkId, chunkStat } from "./answers.ts";
import { pageQuery } from "./http-chunk-store.ts";
import type { NodeAddress } from "./node-clients.ts";
import type { NodeConnection } from "./node-connection.ts";

export interface NodeCommands {
  /**
   * The node fetches the chunk from the first source that has it whole, keeps it durably, reads it back. What it holds whole
   * already it does not fetch. Of many sources, only the first `limits.replicateSourcesMax` are tried. Rejects with `chunk.no_source` (`details.bad` as below), `store.full`, `store.failed`.
   */
  replicate(id: ChunkId, sources: readonly NodeAddress[], epoch: number, signal?: AbortSignal): Promise<Replicated>;
  /** Reads it from the disk and checks it. Rejects with `chunk.not_found` or `chunk.corrupt`. */
  verify(id: ChunkId): Promise<{ length: number }>;
  /** Out of sight, not yet gone. Returns those that are in the trash now. */
  trash(ids: readonly ChunkId[], epoch: number): Promise<ChunkId[]>;
  /** Back from the trash, verified. Returns those that are held now, whole. */
  restore(ids: readonly ChunkId[], epoch: number): Promise<ChunkId[]>;
  /** In ascending order of id, after `after` (exclusive), at most `limits.listPageMax` a call. */
  listTrash(after: ChunkId | undefined, limit: number): Promise<TrashedChunk[]>;
  /** Gone for good: what has been in the trash for longer. At most `limits.purgeChunksMax` of it a call. */
  purgeTrash(olderThanMs: number, epoch: number): Promise<Purged>;
  /**
   * Chunks that were found damaged there and that nobody has put again since, in ascending order of id, after `after`
   * (exclusive), at most `limits.listPageMax` a call. The heartbeat's count of corrupt chunks says when to look.
   */
  lostChunks(after: ChunkId | undefined, limit: number): Promise<LostChunk[]>;
  /** What its scrub is at. */
  scrubStatus(): Promise<ScrubStatus>;
  scrub(order: ScrubOrder): Promise<ScrubStatus>;
  /** Rejects with `store.unreachable` when the node does not simulate faults. */
  simulate(fault: NodeFault): Promise<void>;
  recover(): Promise<void>;
  /** What it simulates on itself; nothing when it does not simulate faults. */
  simulated(signal?: AbortSignal): Promise<ActiveFault[]>;
}

/** To start with no speed named is to read as fast as the disk allows. Both last to the end of the pass, or a restart. */
export type ScrubOrder = { action: "start"; bytesPerSecond?: number | undefined } | { action: "stop" };

export interface Replicated {
  /** False when the node held it whole already. */
  stored: boolean;
  length: number;
  /** Sources that were tried and could not give the chunk. */
  bad: BadSource[];
}

export interface BadSource {
  nodeId: number;
  reason: BadSourceReason;
}

const badSourceReasons = ["chunk.corrupt", "chunk.not_found", "store.unreachable"] as const;
export type BadSourceReason = (typeof badSourceReasons)[number];

const badSource = z.object({ nodeId: z.int(), reason: z.enum(badSourceReasons) });
const replicated = z.object({ stored: z.boolean(), length: byteCount, bad: z.array(badSource) });
const verified = z.object({ length: byteCount });
const chunkIds = z.object({ ids: z.array(chunkId) });
const trashPage = z.object({ chunks: z.array(chunkStat.extend({ trashedAt: z.int() })) });
const purged = z.object({ chunks: byteCount, bytes: byteCount });
const lostPage = z.object({ chunks: z.array(z.object({ id: chunkId, lostAt: z.int() })) });
const scrubStatus = z.object({
  running: z.boolean(),
  progress: z.number(),
  lastFinishedAt: z.coerce.date().optional(),
  verifiedChunks: byteCount,
  corruptFound: z.array(chunkId),
});
const anything = z.unknown();
const activeFaults = z.object({ faults: z.array(activeFault) });

/** The header that carries the epoch. */
export const EPOCH_HEADER = "holdfast-epoch";

export class HttpNodeCommands implements NodeCommands {
  readonly #node: NodeConnection;

  constructor(node: NodeConnection) {
    this.#node = node;
  }

  async replicate(id: ChunkId, sources: readonly NodeAddress[], epoch: number, signal?: AbortSignal): Promise<Replicated> {
    const from = sources.slice(0, limits.replicateSourcesMax).map(({ id, host, port }) => ({ id, host, port }));
    return await this.#command(`/chunks/${id}/replicate`, { sources: from }, replicated, { epoch, signal });
  }

  async verify(id: ChunkId): Promise<{ length: number }> {
    return await this.#command(`/chunks/${id}/verify`, {}, verified);
  }

  async trash(ids: readonly ChunkId[], epoch: number): Promise<ChunkId[]> {
    return await this.#eachPage("/trash", ids, limits.trashChunksMax, epoch);
  }

  async restore(ids: readonly ChunkId[], epoch: number): Promise<ChunkId[]> {
    return await this.#eachPage("/trash/restore", ids, limits.restoreChunksMax, epoch);
  }

  async listTrash(after: ChunkId | undefined, limit: number): Promise<TrashedChunk[]> {
    const path = `/trash?${pageQuery(after, limit)}`;
    return this.#node.parsed(await this.#node.ask({ method: "GET", path }), trashPage).chunks;
  }

  async purgeTrash(olderThanMs: number, epoch: number): Promise<Purged> {
    return await this.#command("/trash/purge", { olderThanMs }, purged, { epoch });
  }

  async lostChunks(after: ChunkId | undefined, limit: number): Promise<LostChunk[]> {
    const path = `/lost?${pageQuery(after, limit)}`;
    return this.#node.parsed(await this.#node.ask({ method: "GET", path }), lostPage).chunks;
  }

  async scrubStatus(): Promise<ScrubStatus> {
    const answer = await this.#node.ask({ method: "GET", path: "/scrub" });
    return withFinishedAt(this.#node.parsed(answer, scrubStatus));
  }

  async scrub(order: ScrubOrder): Promise<ScrubStatus> {
    return withFinishedAt(await this.#command("/scrub", order, scrubStatus));
  }

  async simulate(fault: NodeFault): Promise<void> {
    await this.#command("/simulate", fault, anything);
  }

  async recover(): Promise<void> {
    await this.#command("/recover", {}, anything);
  }

  async simulated(signal?: AbortSignal): Promise<ActiveFault[]> {
    const answer = await this.#node.ask({ method: "GET", path: "/simulate", ...(signal && { signal }) });
    return answer.status === 403 ? [] : this.#node.parsed(answer, activeFaults).faults;
  }

  /** So many at once that a node is through before its caller gives up. */
  async #eachPage(path: string, ids: readonly ChunkId[], idsMax: number, epoch: number): Promise<ChunkId[]> {
    const done: ChunkId[] = [];
    for (let from = 0; from < ids.length; from += idsMax) {
      const answer = await this.#command(path, { ids: ids.slice(from, from + idsMax) }, chunkIds, { epoch });
      done.push(...answer.ids);
    }
    return done;
  }

  async #command<T>(
    path: string,
    body: unknown,
    schema: z.ZodType<T>,
    { epoch, signal }: { epoch?: number; signal?: AbortSignal | undefined } = {},
  ): Promise<T> {
    const answer = await this.#node.ask({
      method: "POST",
      path,
      body: Buffer.from(JSON.stringify(body)),
      headers: { "content-type": "application/json", ...(epoch !== undefined && { [EPOCH_HEADER]: String(epoch) }) },
      timeoutMs: limits.nodeExchangeTimeoutMs,
      ...(signal && { signal }),
    });
    return this.#node.parsed(answer, schema);
  }
}

function withFinishedAt({ lastFinishedAt, ...status }: z.output<typeof scrubStatus>): ScrubStatus {
  return { ...status, lastFinishedAt };
}
