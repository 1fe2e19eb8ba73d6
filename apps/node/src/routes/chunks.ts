/** The chunk store over HTTP, under its own names and under those that older programs use. */
import { finished } from "node:stream/promises";
import type { ChunkId } from "@holdfast/core/chunking";
import { answerJson } from "@holdfast/core/http-edge";
import { FOR_COPY } from "@holdfast/core/node-client";
import type { Exchange, Route } from "../route.ts";
import { type ChunkAccess, lendChunk, readChunk, requireHeld, writeChunk } from "../transport/chunk-access.ts";
import { declaredLength, readBody } from "./chunk-body.ts";
import { notFound, pageOf, requireChunkId } from "./chunk-names.ts";
import { digestHeader, requireDigest } from "./content-digest.ts";

export interface ChunkRoutesOptions extends ChunkAccess {
  /** Throws until the node belongs to a cluster: it takes and serves nothing before. */
  requireJoined: () => void;
}

export function chunkRoutes({ requireJoined, ...access }: ChunkRoutesOptions): Route[] {
  const { store } = access;

  async function put(id: ChunkId, { req, res, gone }: Exchange): Promise<void> {
    const length = declaredLength(req);
    const memory = await access.memory.receiving.acquire(length, gone);
    try {
      await readBody(req, memory.bytes);
      requireDigest(req, memory.bytes);
      const { stored } = await writeChunk(access, id, memory.bytes);
      answerJson(res, stored ? 201 : 200, { id, length, stored });
    } finally {
      memory.release();
    }
  }

  async function get(id: ChunkId, { req, res, query, gone }: Exchange): Promise<void> {
    const { bytes, memory } = await (query.toString() === FOR_COPY ? lendChunk : readChunk)(access, id, gone);
    try {
      res.writeHead(200, { "content-type": "application/octet-stream", "content-length": bytes.length, ...digestHeader(req, bytes) });
      res.end(bytes);
      await finished(res);
    } finally {
      memory.release();
    }
  }

  async function head(id: ChunkId, { res }: Exchange): Promise<void> {
    const { length } = await requireHeld(store, id);
    res.writeHead(200, { "content-type": "application/octet-stream", "content-length": length }).end();
  }

  async function info(id: ChunkId, { res }: Exchange): Promise<void> {
    answerJson(res, 200, await requireHeld(store, id));
  }

  async function remove(id: ChunkId, { res }: Exchange): Promise<void> {
    if (!(await store.delete(id))) throw notFound(id);
    res.writeHead(204).end();
  }

  async function list({ res, query }: Exchange): Promise<void> {
    requireJoined();
    answerJson(res, 200, { chunks: await store.list(...pageOf(query)) });
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

/** From the path; for `/uploadChunk` from the query or the header `chunkId`. */
function idOf({ parameter, query, req }: Exchange): ChunkId {
  return requireChunkId(parameter || (query.get("chunkId") ?? String(req.headers["chunkid"] ?? "")));
}
