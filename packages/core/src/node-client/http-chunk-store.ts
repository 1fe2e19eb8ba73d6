import { z } from "zod";
import { type ChunkStat, type ChunkStore, type PutResult, type ReadOptions, requireLength, type StoreStats } from "../chunk-store/index.ts";
import { type ChunkId, chunkIdOf } from "../chunking/index.ts";
import { limits } from "../kernel/index.ts";
import { chunkStat } from "./answers.ts";
import type { NodeConnection } from "./node-connection.ts";

/** Says of a read that healing does it: part of the path, which is signed. A node that does not know it takes it for a user's. */
export const FOR_COPY = "for=copy";

const page = z.object({ chunks: z.array(chunkStat) });
const storeStats = z.object({
  capacityBytes: z.number(),
  freeBytes: z.number(),
  usedBytes: z.number(),
  chunkCount: z.number(),
  writable: z.boolean(),
  reason: z.string(),
  diskErrors: z.number(),
  corruptChunks: z.number(),
  foreignFiles: z.number(),
});

/** The chunk store of a node over HTTP. Besides the contract's errors: `store.unreachable`, `store.unauthenticated`. */
export class HttpChunkStore implements ChunkStore {
  readonly #node: NodeConnection;

  constructor(node: NodeConnection) {
    this.#node = node;
  }

  async put(id: ChunkId, bytes: Buffer): Promise<PutResult> {
    requireLength(bytes.length);
    const answer = await this.#node.ask({ method: "PUT", path: `/chunks/${id}`, body: bytes });
    if (answer.status !== 201 && answer.status !== 200) throw this.#node.refused(answer);
    return { stored: answer.status === 201 };
  }

  get(id: ChunkId, options?: ReadOptions): Promise<Buffer> {
    return this.#read(id, `/chunks/${id}`, options);
  }

  /** As `get`, for a copy on another node: no user waits for it. */
  getForCopy(id: ChunkId, options?: ReadOptions): Promise<Buffer> {
    return this.#read(id, `/chunks/${id}?${FOR_COPY}`, options);
  }

  /** Not over HTTP, which is for programs and for what is older. */
  async getPart(): Promise<undefined> {}

  async stat(id: ChunkId): Promise<ChunkStat | undefined> {
    const answer = await this.#node.ask({ method: "HEAD", path: `/chunks/${id}` });
    if (answer.status === 404) return undefined;
    if (answer.status !== 200) throw this.#node.refused(answer);
    return { id, length: Number(answer.headers["content-length"]) };
  }

  async delete(id: ChunkId): Promise<boolean> {
    const answer = await this.#node.ask({ method: "DELETE", path: `/chunks/${id}` });
    if (answer.status === 404) return false;
    if (answer.status !== 204) throw this.#node.refused(answer);
    return true;
  }

  /** At most `limits.listPageMax` a call, whatever `limit` says. */
  async list(after: ChunkId | undefined, limit: number): Promise<ChunkStat[]> {
    const path = `/chunks?${pageQuery(after, limit)}`;
    return this.#node.parsed(await this.#node.ask({ method: "GET", path }), page).chunks;
  }

  async stats(): Promise<StoreStats> {
    return this.#node.parsed(await this.#node.ask({ method: "GET", path: "/stats" }), storeStats);
  }

  close(): Promise<void> {
    return this.#node.close();
  }

  /** Checked here as well as at the node: what the network changed is not passed on, and not held against the node's copy. */
  async #read(id: ChunkId, path: string, options: ReadOptions = {}): Promise<Buffer> {
    const answer = await this.#node.ask({ method: "GET", path, ...options });
    if (answer.status !== 200) throw this.#node.refused(answer);
    if (chunkIdOf(answer.body) === id) return answer.body;
    throw this.#node.unreachable("sent a chunk that arrived damaged");
  }
}

export function pageQuery(after: ChunkId | undefined, limit: number): string {
  return new URLSearchParams({ ...(after && { after }), limit: String(Math.min(limit, limits.listPageMax)) }).toString();
}
