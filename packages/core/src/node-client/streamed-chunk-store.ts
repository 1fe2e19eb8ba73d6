import { Altered, ChunkStreams, type ClientSession, NoChunkStream, openChunkStream, Refused } from "../chunk-transport/index.ts";
import {
  type ChunkPart,
  type ChunkStat,
  type ChunkStore,
  ChunkStoreError,
  type PutResult,
  type ReadOptions,
  requireLength,
  type StoreStats,
} from "../chunk-store/index.ts";
import { type ChunkId, chunkIdOf } from "../chunking/index.ts";
import { type Clock, limits, systemClock } from "../kernel/index.ts";
import type { HttpChunkStore } from "./http-chunk-store.ts";
import type { NodeConnection } from "./node-connection.ts";
import { SmallPuts } from "./small-puts.ts";

/**
 * The chunk store of a node, its chunks over streams and the rest, which is little, over HTTP. A node that opens no streams
 * is spoken to by HTTP alone, and asked again after a while: it may have been brought up to date.
 */
export class StreamedChunkStore implements ChunkStore {
  readonly #node: NodeConnection;
  readonly #http: HttpChunkStore;
  readonly #clock: Clock;
  readonly #reads: ChunkStreams;
  readonly #partReads: ChunkStreams;
  readonly #largeWrites: ChunkStreams;
  readonly #smallWrites: ChunkStreams;
  readonly #smallPuts: SmallPuts;
  #httpUntilMs = Number.NEGATIVE_INFINITY;

  constructor(node: NodeConnection, http: HttpChunkStore, clock: Clock = systemClock) {
    this.#node = node;
    this.#http = http;
    this.#clock = clock;
    const open = () => openChunkStream(node.address, node.clusterKey);
    this.#reads = new ChunkStreams({ open, streamsMax: limits.nodeReadStreams, requestsMax: limits.nodeStreamRequestsMax });
    this.#partReads = new ChunkStreams({ open, streamsMax: limits.nodePartStreams, requestsMax: limits.nodeStreamRequestsMax });
    this.#largeWrites = new ChunkStreams({ open, streamsMax: limits.nodeLargeWriteStreams, requestsMax: 1 });
    this.#smallWrites = new ChunkStreams({
      open,
      streamsMax: limits.nodeSmallWriteStreams,
      requestsMax: limits.nodeStreamRequestsMax,
    });
    this.#smallPuts = new SmallPuts(this.#smallWrites);
  }

  async put(id: ChunkId, bytes: Buffer): Promise<PutResult> {
    requireLength(bytes.length);
    const isSmall = bytes.length <= limits.smallChunkBytesMax;
    return await this.#overStreams(
      () => (isSmall ? this.#smallPuts.put({ id, bytes }) : this.#largeWrites.run((session) => session.put(id, bytes))),
      () => this.#http.put(id, bytes),
    );
  }

  get(id: ChunkId, options: ReadOptions = {}): Promise<Buffer> {
    return this.#overStreams(
      () => this.#read("get", id, options),
      () => this.#http.get(id, options),
    );
  }

  /** The node reads the whole chunk where it must; undefined from one that cannot be asked for parts. Checked here as well, by its seal. */
  getPart(id: ChunkId, part: ChunkPart, options: ReadOptions = {}): Promise<Buffer | undefined> {
    const ask = async (session: ClientSession) => (session.takesParts ? await session.getPart(id, part, options) : undefined);
    return this.#overStreams(
      () => this.#partReads.run(ask, options.signal),
      () => this.#http.getPart(),
    );
  }

  /** As `get`, for a copy on another node: no user waits for it. */
  getForCopy(id: ChunkId, options: ReadOptions = {}): Promise<Buffer> {
    return this.#overStreams(
      () => this.#read("copy", id, options),
      () => this.#http.getForCopy(id, options),
    );
  }

  stat(id: ChunkId): Promise<ChunkStat | undefined> {
    return this.#http.stat(id);
  }

  delete(id: ChunkId): Promise<boolean> {
    return this.#http.delete(id);
  }

  list(after: ChunkId | undefined, limit: number): Promise<ChunkStat[]> {
    return this.#http.list(after, limit);
  }

  stats(): Promise<StoreStats> {
    return this.#http.stats();
  }

  async close(): Promise<void> {
    await this.#smallPuts.sent();
    const connections = [this.#reads, this.#partReads, this.#largeWrites, this.#smallWrites, this.#http];
    await Promise.all(connections.map((each) => each.close()));
  }

  /** Checked here as well as at the node, as over HTTP. */
  async #read(kind: "get" | "copy", id: ChunkId, options: ReadOptions): Promise<Buffer> {
    const bytes = await this.#reads.run((session) => session.get(id, options, kind), options.signal);
    if (chunkIdOf(bytes) === id) return bytes;
    throw this.#node.unreachable("sent a chunk that arrived damaged");
  }

  async #overStreams<T>(ask: () => Promise<T>, askByHttp: () => Promise<T>): Promise<T> {
    if (this.#clock.monotonicMs() < this.#httpUntilMs) return await askByHttp();
    try {
      return await ask();
    } catch (error) {
      if (error instanceof Refused) throw this.#node.refused(error);
      if (error instanceof ChunkStoreError) throw error;
      if (error instanceof Altered) throw this.#node.unreachable("sent a part of a chunk that arrived damaged", error);
      if (!(error instanceof NoChunkStream)) throw this.#node.unreachable("does not answer", error);
      this.#httpUntilMs = this.#clock.monotonicMs() + limits.nodeStreamRetryMs;
      return await askByHttp();
    }
  }
}
