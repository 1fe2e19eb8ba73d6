import type { Dispatcher, Pool } from "undici";
import { z } from "zod";
import {
  type ChunkStat,
  type ChunkStore,
  ChunkStoreError,
  isChunkStoreErrorCode,
  type PutResult,
  type ReadOptions,
  requireLength,
  type StoreStats,
} from "../chunk-store/index.ts";
import { type ChunkId, chunkIdOf, parseChunkId } from "../chunking/index.ts";
import { limits } from "../kernel/index.ts";
import { signRequest } from "../request-signing/index.ts";
import { type Answer, request } from "./request.ts";

const chunkStat = z.object({ id: z.string().transform((text, check) => parseChunkId(text) ?? notAnId(check)), length: z.int().min(0) });
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
const refusal = z.looseObject({ error: z.string(), message: z.string() });

/** The longest answer is a chunk or a page of the list. */
const ANSWER_BYTES_MAX = Math.max(limits.chunkBytesMax, limits.listPageMax * 128);

/** The chunk store of a node over HTTP. Besides the contract's errors: `store.unreachable`, `store.unauthenticated`. */
export class HttpChunkStore implements ChunkStore {
  readonly #pool: Pool;
  readonly #address: string;
  readonly #clusterKey: string;

  /** `address` names the node in errors. */
  constructor(pool: Pool, address: string, clusterKey: string) {
    this.#pool = pool;
    this.#address = address;
    this.#clusterKey = clusterKey;
  }

  async put(id: ChunkId, bytes: Buffer): Promise<PutResult> {
    requireLength(bytes.length);
    const answer = await this.#request("PUT", `/chunks/${id}`, { body: bytes });
    if (answer.status !== 201 && answer.status !== 200) throw this.#refused(answer);
    return { stored: answer.status === 201 };
  }

  /** Checked here as well as at the node: what the network changed is not passed on, and not held against the node's copy. */
  async get(id: ChunkId, options: ReadOptions = {}): Promise<Buffer> {
    const answer = await this.#request("GET", `/chunks/${id}`, options);
    if (answer.status !== 200) throw this.#refused(answer);
    if (chunkIdOf(answer.body) === id) return answer.body;
    throw this.#unreachable("sent a chunk that arrived damaged");
  }

  async stat(id: ChunkId): Promise<ChunkStat | undefined> {
    const answer = await this.#request("HEAD", `/chunks/${id}`);
    if (answer.status === 404) return undefined;
    if (answer.status !== 200) throw this.#refused(answer);
    return { id, length: Number(answer.headers["content-length"]) };
  }

  async delete(id: ChunkId): Promise<boolean> {
    const answer = await this.#request("DELETE", `/chunks/${id}`);
    if (answer.status === 404) return false;
    if (answer.status !== 204) throw this.#refused(answer);
    return true;
  }

  /** At most `limits.listPageMax` a call, whatever `limit` says. */
  async list(after: ChunkId | undefined, limit: number): Promise<ChunkStat[]> {
    const query = new URLSearchParams({ ...(after && { after }), limit: String(Math.min(limit, limits.listPageMax)) });
    const answer = await this.#request("GET", `/chunks?${query.toString()}`);
    return this.#parsed(answer, page).chunks;
  }

  async stats(): Promise<StoreStats> {
    return this.#parsed(await this.#request("GET", "/stats"), storeStats);
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  async #request(method: Dispatcher.HttpMethod, path: string, { body, ...options }: ReadOptions & { body?: Buffer } = {}): Promise<Answer> {
    try {
      const headers = signRequest(this.#clusterKey, { method, path });
      return await request(this.#pool, { method, path, headers, body }, { ...options, bytesMax: ANSWER_BYTES_MAX });
    } catch (cause) {
      throw this.#unreachable("does not answer", cause);
    }
  }

  #parsed<T>(answer: Answer, schema: z.ZodType<T>): T {
    if (answer.status !== 200) throw this.#refused(answer);
    const parsed = schema.safeParse(jsonOf(answer.body));
    if (parsed.success) return parsed.data;
    throw this.#unreachable("answered what no node of ours answers", parsed.error);
  }

  /** The node's own words, where it has any: a HEAD has no body. */
  #refused({ status, body }: Answer): ChunkStoreError {
    const { success, data } = refusal.safeParse(jsonOf(body));
    if (success && isChunkStoreErrorCode(data.error)) {
      const { error, message, ...details } = data;
      return new ChunkStoreError(error, message, details);
    }
    if (status === 401) {
      const message = `The node at ${this.#address} refused our signature. Compare the cluster keys and the clocks.`;
      return new ChunkStoreError("store.unauthenticated", message);
    }
    return this.#unreachable(`answered ${status}${success ? `: ${data.message}` : ""}`);
  }

  #unreachable(what: string, cause?: unknown): ChunkStoreError {
    return new ChunkStoreError("store.unreachable", `The node at ${this.#address} ${what}.`, { address: this.#address }, { cause });
  }
}

function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined; // every caller checks the shape
  }
}

function notAnId(check: z.RefinementCtx): never {
  check.addIssue("is no chunk id");
  return z.NEVER;
}
