/** The chunk store over HTTP, under its own names and under those that older programs use. */
import { finished } from "node:stream/promises";
import type { ChunkStore, PutResult } from "@holdfast/core/chunk-store";
import type { ChunkId } from "@holdfast/core/chunking";
import { answerJson } from "@holdfast/core/http-edge";
import { limits } from "@holdfast/core/kernel";
import type { LatencyMeter } from "@holdfast/core/node-registration";
import type { ChunkMemory } from "../chunk-memory.ts";
import type { Exchange, Route } from "../route.ts";
import { declaredLength, readBody } from "./chunk-body.ts";
import { notFound, pageOf, requireChunkId } from "./chunk-names.ts";
import { digestHeader, requireDigest } from "./content-digest.ts";

export interface ChunkLatencies {
  write: LatencyMeter;
  read: LatencyMeter;
}

export interface ChunkRoutesOptions {
  store: ChunkStore;
  memory: ChunkMemory;
  latencies: ChunkLatencies;
  /** Throws until the node belongs to a cluster: it takes and serves nothing before. */
  requireJoined: () => void;
}

export function chunkRoutes({ store, memory: { receiving, sending }, latencies, requireJoined }: ChunkRoutesOptions): Route[] {
  async function put(id: ChunkId, { req, res, gone }: Exchange): Promise<void> {
    const length = declaredLength(req);
    const memory = await receiving.acquire(length, gone);
    try {
      await readBody(req, memory.bytes);
      requireDigest(req, memory.bytes);
      const { stored } = await latencies.write.measure(() => store.put(id, memory.bytes), wasStored);
      answerJson(res, stored ? 201 : 200, { id, length, stored });
    } finally {
      memory.release();
    }
  }

  async function get(id: ChunkId, { req, res, gone }: Exchange): Promise<void> {
    const { length } = await requireHeld(id);
    const memory = await sending.acquire(Math.min(length, limits.chunkBytesMax), gone);
    try {
      const bytes = await latencies.read.measure(() => store.get(id, { into: memory.bytes }));
      res.writeHead(200, { "content-type": "application/octet-stream", "content-length": bytes.length, ...digestHeader(req, bytes) });
      res.end(bytes);
      await finished(res);
    } finally {
      memory.release();
    }
  }

  async function head(id: ChunkId, { res }: Exchange): Promise<void> {
    const { length } = await requireHeld(id);
    res.writeHead(200, { "content-type": "application/octet-stream", "content-length": length }).end();
  }

  async function info(id: ChunkId, { res }: Exchange): Promise<void> {
    answerJson(res, 200, await requireHeld(id));
  }

  async function remove(id: ChunkId, { res }: Exchange): Promise<void> {
    if (!(await store.delete(id))) throw notFound(id);
    res.writeHead(204).end();
  }

  async function list({ res, query }: Exchange): Promise<void> {
    requireJoined();
    answerJson(res, 200, { chunks: await store.list(...pageOf(query)) });
  }

  async function requireHeld(id: ChunkId) {
    const held = await store.stat(id);
    if (held === undefined) throw notFound(id);
    return held;
  }

  const cluster = (method: Route["method"], path: string, serve: (id: ChunkId, exchange: Exchange) => Promise<void>): Route => ({
    method,
    path,
    access: "cluster",
    async serve(exchange) {
      requireJoined();
      await serve(idOf(exchange), exchange);
    },
  });

  return [
    cluster("PUT", "/chunks/:id", put),
    cluster("GET", "/chunks/:id", get),
    cluster("HEAD", "/chunks/:id", head),
    cluster("DELETE", "/chunks/:id", remove),
    { method: "GET", path: "/chunks", access: "cluster", serve: list },
    cluster("POST", "/uploadChunk", put),
    cluster("GET", "/downloadChunk/:id", get),
    cluster("GET", "/chunkInfo/:id", info),
  ];
}

/** A chunk that was there already costs no write, and tells nothing of how long one takes. */
export const wasStored = ({ stored }: PutResult): boolean => stored;

/** From the path; for `/uploadChunk` from the query or the header `chunkId`. */
function idOf({ parameter, query, req }: Exchange): ChunkId {
  return requireChunkId(parameter || (query.get("chunkId") ?? String(req.headers["chunkid"] ?? "")));
}
