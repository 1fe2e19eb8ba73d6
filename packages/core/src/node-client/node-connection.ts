import { type Dispatcher, Pool } from "undici";
import { z } from "zod";
import { ChunkStoreError, isChunkStoreErrorCode, type ReadOptions } from "../chunk-store/index.ts";
import { limits } from "../kernel/index.ts";
import { signRequest } from "../request-signing/index.ts";
import { type Answer, request } from "./request.ts";

const refusal = z.looseObject({ error: z.string(), message: z.string() });

/** The longest answer is a chunk or a page of a list. */
const ANSWER_BYTES_MAX = Math.max(limits.chunkBytesMax, limits.listPageMax * 160);

export interface Ask extends ReadOptions {
  method: Dispatcher.HttpMethod;
  path: string;
  headers?: Readonly<Record<string, string>>;
  body?: Buffer;
  /** How long the node may take before its answer begins; the usual limit when absent. */
  timeoutMs?: number;
}

/** A node's address with its connections: signed requests, and its refusals as errors. */
export class NodeConnection {
  /** `host:port`. */
  readonly address: string;
  readonly clusterKey: string;
  readonly #pool: Pool;

  constructor(address: string, clusterKey: string) {
    this.address = address;
    this.clusterKey = clusterKey;
    this.#pool = new Pool(`http://${address}`, {
      connections: limits.nodeConnectionsMax,
      pipelining: 1,
      connect: { timeout: limits.nodeConnectTimeoutMs },
      headersTimeout: limits.nodeRequestTimeoutMs,
      bodyTimeout: limits.nodeRequestTimeoutMs,
    });
  }

  /** Rejects with `store.unreachable`. What the node refuses is an answer, too. */
  async ask({ method, path, headers = {}, body, timeoutMs = limits.nodeRequestTimeoutMs, ...options }: Ask): Promise<Answer> {
    try {
      const signed = { ...headers, ...signRequest(this.clusterKey, { method, path }) };
      const sent = { method, path, headers: signed, body, headersTimeout: timeoutMs };
      return await request(this.#pool, sent, { ...options, bytesMax: ANSWER_BYTES_MAX });
    } catch (cause) {
      throw this.unreachable("does not answer", cause);
    }
  }

  /** Throws what the node refused with, or `store.unreachable` for an answer that no node of ours gives. */
  parsed<T>(answer: Answer, schema: z.ZodType<T>): T {
    if (answer.status !== 200) throw this.refused(answer);
    const parsed = schema.safeParse(jsonOf(answer.body));
    if (parsed.success) return parsed.data;
    throw this.unreachable("answered what no node of ours answers", parsed.error);
  }

  /** The node's own words, where it has any: a HEAD has no body. Over a chunk stream a refusal has no status. */
  refused({ status, body }: { status?: number; body: Buffer }): ChunkStoreError {
    const { success, data } = refusal.safeParse(jsonOf(body));
    if (success && isChunkStoreErrorCode(data.error)) {
      const { error, message, ...details } = data;
      return new ChunkStoreError(error, message, details);
    }
    if (status === 401) {
      const message = `The node at ${this.address} refused our signature. Compare the cluster keys and the clocks.`;
      return new ChunkStoreError("store.unauthenticated", message);
    }
    return this.unreachable(`answered ${status ?? "no"}${success ? `: ${data.message}` : ""}`);
  }

  unreachable(what: string, cause?: unknown): ChunkStoreError {
    return new ChunkStoreError("store.unreachable", `The node at ${this.address} ${what}.`, { address: this.address }, { cause });
  }

  close(): Promise<void> {
    return this.#pool.close();
  }
}

function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined; // every caller checks the shape
  }
}
