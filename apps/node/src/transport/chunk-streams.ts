import {
  acceptChunkStream,
  asksForChunkStream,
  CHUNK_STREAM_PATH,
  type ChunkDoor,
  type ServerSession,
} from "@holdfast/core/chunk-transport";
import { HttpEdgeError } from "@holdfast/core/http-edge";
import { type Logger, SECOND_MS } from "@holdfast/core/kernel";
import { toldError } from "../errors.ts";
import type { Exchange, Route } from "../route.ts";
import { type ChunkAccess, lendChunk, readChunk, readPart, writeChunk } from "./chunk-access.ts";

export interface ChunkStreamsOptions extends ChunkAccess {
  clusterKey: string;
  /** Throws until the node belongs to a cluster. */
  requireJoined: () => void;
  logger: Logger;
}

export interface ChunkStreams {
  route: Route;
  /** Finishes what is under way, for a while. Whoever comes anew finds no door. */
  stop(): Promise<void>;
}

/** As long as the HTTP server lets its own requests finish. */
const DRAIN_TIMEOUT_MS = 8 * SECOND_MS;

/** The node's chunk store over chunk streams: the same store, and the same memory, as over HTTP. */
export function createChunkStreams(options: ChunkStreamsOptions): ChunkStreams {
  const { clusterKey, requireJoined } = options;
  const door = doorOf(options);
  const sessions = new Set<ServerSession>();
  let isStopping = false;

  async function serve({ req, res }: Exchange): Promise<void> {
    if (!asksForChunkStream(req)) throw new HttpEdgeError("request.not_found", "This address is for chunk streams alone.");
    requireJoined();
    const session = acceptChunkStream(req, res, { clusterKey, door });
    sessions.add(session);
    void session.ended.then(() => sessions.delete(session));
    if (isStopping) session.drain();
  }

  return {
    route: { method: "GET", path: CHUNK_STREAM_PATH, access: "cluster", serve },
    async stop() {
      isStopping = true;
      for (const session of sessions) session.drain();
      const limit = setTimeout(() => sessions.forEach((session) => session.cut()), DRAIN_TIMEOUT_MS);
      await Promise.all([...sessions].map(({ ended }) => ended));
      clearTimeout(limit);
    },
  };
}

function doorOf(access: ChunkStreamsOptions): ChunkDoor {
  const { receiving } = access.memory;
  const { logger } = access;
  return {
    roomNow: (length) => receiving.tryAcquire(length),
    room: (length, gone) => receiving.acquire(length, gone),
    put: (id, bytes) => writeChunk(access, id, bytes),
    get: (id, gone) => readChunk(access, id, gone),
    getPart: (id, part, gone) => readPart(access, id, part, gone),
    lend: (id, gone) => lendChunk(access, id, gone),
    refusal: (error) => Buffer.from(JSON.stringify(toldError(error) ?? internalError(error, logger))),
    broken: (error) => logger.warn({ err: error }, "a chunk stream was cut off"),
  };
}

function internalError(error: unknown, logger: Logger): { error: string; message: string } {
  logger.error({ err: error }, "a chunk could not be served");
  return { error: "internal", message: "Something went wrong at the node. Its log says what." };
}
