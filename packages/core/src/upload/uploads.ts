/**
 * Uploads: how bytes of people become chunks on nodes and, in the end, a file. The protocol is tus 1.0.0.
 *
 * What is stored: a row per upload, whose offset counts only bytes that are durable on the write quorum and committed; the
 * bytes themselves as chunks from the first moment on. There is no staging file and no assembly step. An upload moves
 * `receiving → complete → committed`, each step one transaction, so whatever dies in between, the client or the sweeper
 * goes on from the last one.
 *
 * What can go wrong: the client vanishes (a short chunk keeps what arrived), two requests for one upload meet (the newer
 * one gets it; the offset's compare-and-set decides), too few nodes or no database (503, and the offset stays true).
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Database } from "@holdfast/db";
import { ChunkBuffers } from "../byte-budget/index.ts";
import type { Actor } from "../drive/index.ts";
import { FleetingMap, limits, type Logger } from "../kernel/index.ts";
import type { Membership } from "../membership/index.ts";
import type { ChunkReplicator } from "../replication/index.ts";
import { CHECKSUM_ALGORITHMS } from "./checksum.ts";
import { concatenate } from "./concatenate.ts";
import { createFinaliser } from "./finalise.ts";
import { createChunkLookup } from "./known-chunks.ts";
import { createLateReplicas } from "./late-replicas.ts";
import { fileHeaders, speakTus } from "./protocol.ts";
import type { ReceiverParts } from "./receive.ts";
import { createRecentTime } from "./recent-time.ts";
import { RequestStore } from "./request-store.ts";
import { createShortSteps, type ShortSteps } from "./short-steps.ts";
import { createUploadSweeper } from "./sweeper.ts";
import { parseTusRequest, TUS_VERSION, type TusRequest, UPLOAD_PATH } from "./tus-request.ts";
import { UploadBody } from "./upload-body.ts";
import { createUploadLocks, type UploadLocks } from "./upload-locks.ts";
import { createWholeFiles, type WholeFile } from "./whole-files.ts";

export interface UploadsOptions {
  database: Pick<Database, "pool" | "url">;
  replicator: ChunkReplicator;
  membership: Membership;
  chunkBytes: number;
  logger: Logger;
  /** Memory for the bytes of all uploads together. */
  bufferBytes?: number;
  idleTimeoutMs?: number;
  /** While so much of a body is still to come, it is read past HTTP. */
  borrowBytesMin?: number;
  sweepIntervalMs?: number;
  /** How long small files wait for the last copies of their chunks. */
  lastCopyMs?: number;
  locks?: UploadLocks;
  shortSteps?: ShortSteps;
}

export interface Uploads {
  /** Serves `/api/upload` and what is below it. Rejects with what the caller is to be told; nothing has been answered then. */
  handle(req: IncomingMessage, res: ServerResponse, actor: Actor): Promise<void>;
  start(): Promise<void>;
  /** Asks the uploads under way to commit what they have, and waits for them. */
  stop(): Promise<void>;
}

export function createUploads({
  database: { pool, url },
  replicator,
  membership,
  chunkBytes,
  logger,
  bufferBytes = limits.uploadBufferBytes,
  idleTimeoutMs = limits.uploadIdleTimeoutMs,
  borrowBytesMin = limits.uploadBorrowBytesMin,
  sweepIntervalMs = limits.uploadSweepIntervalMs,
  lastCopyMs = limits.lastCopyMs,
  locks = createUploadLocks({ databaseUrl: url, logger }),
  shortSteps = createShortSteps(),
}: UploadsOptions): Uploads {
  const buffers = new ChunkBuffers(bufferBytes);
  const lateReplicas = createLateReplicas({ pool, logger });
  const parts: ReceiverParts = { pool, lookUp: createChunkLookup(pool, membership), replicator, buffers, lateReplicas, chunkBytes };
  const wholeFiles = createWholeFiles({ ...parts, recentTime: createRecentTime(pool) }, { lastCopyMs, logger });
  const finalise = createFinaliser({ pool, logger });
  const sweeper = createUploadSweeper({ pool, logger, intervalMs: sweepIntervalMs });
  const running = new FleetingMap<AbortController>();
  let requests = 0;

  const concatenated = async (request: TusRequest, actor: Actor, partIds: string[]): Promise<Answer> => {
    const id = await concatenate(pool, actor, { ...request, partIds });
    const file = await finalise(actor.driveId, id);
    return { status: 201, headers: { Location: `${UPLOAD_PATH}/${id}`, ...fileHeaders(file) } };
  };

  const spoken = async (request: TusRequest, body: UploadBody, actor: Actor, onLeave: () => void): Promise<Answer> => {
    if (request.method === "PATCH") shortSteps.require(actor.driveId);
    const file = await wholeFiles.store(request, body, actor);
    if (file !== undefined) return wholeFileAnswer(file, replicator.replicas);
    const store = new RequestStore({ parts, locks, shortSteps, finalise, actor, request, body, onLeave });
    return describe(await speakTus(request, store), request, store, replicator.replicas);
  };

  const answered = async (req: IncomingMessage, body: UploadBody, actor: Actor, onLeave: () => void): Promise<Answer> => {
    try {
      const request = parseTusRequest(req);
      const final = request.role.kind === "final" && request.method === "POST" ? request.role : undefined;
      const answer = final === undefined ? await spoken(request, body, actor, onLeave) : await concatenated(request, actor, final.partIds);
      if (body.isBorrowed) await body.heardOut();
      return answer;
    } catch (error) {
      await body.heardOut();
      throw error;
    } finally {
      body.close();
    }
  };

  return {
    async handle(req, res, actor) {
      res.setHeader("Tus-Resumable", TUS_VERSION);
      res.setHeader("Tus-Version", TUS_VERSION);
      res.setHeader("Cache-Control", "no-store");
      const leaving = new AbortController();
      const body = new UploadBody(req, res, { idleTimeoutMs, borrowBytesMin, leave: leaving.signal });
      const request = ++requests;
      running.add(request, leaving);
      try {
        const { status, headers } = await answered(req, body, actor, () => leaving.abort());
        res.writeHead(status, headers).end();
      } finally {
        running.delete(request);
      }
      if (!(await body.heardOut())) req.destroy();
    },
    start: () => sweeper.start(),
    async stop() {
      for (const leaving of running.values()) leaving.abort();
      await sweeper.stop();
      await locks.stop();
      await lateReplicas.flush();
    },
  };
}

/** To a request that went well; it has no body. */
interface Answer {
  status: number;
  headers: Readonly<Record<string, string>>;
}

function wholeFileAnswer({ uploadId, entryId, length, copies }: WholeFile, replicas: number): Answer {
  const headers = {
    Location: `${UPLOAD_PATH}/${uploadId}`,
    "Upload-Offset": String(length),
    ...fileHeaders({ entryId, isRelocated: false }),
  };
  return { status: 201, headers: { ...headers, ...copiesHeader(copies, replicas) } };
}

/** Says so while a file has fewer copies than it should have. */
function copiesHeader(copies: number, replicas: number): Record<string, string> {
  return copies < replicas ? { "Holdfast-Copies": String(copies) } : {};
}

/** Adds what the library does not know. */
function describe(response: Response, { method }: TusRequest, { upload, fewestCopies }: RequestStore, replicas: number): Answer {
  const { status, headers } = response;
  headers.delete("content-type"); // of a body that is empty
  for (const name of [...headers.keys()].filter((name) => name.startsWith("access-control-"))) headers.delete(name);
  if (method === "OPTIONS") headers.set("Tus-Checksum-Algorithm", CHECKSUM_ALGORITHMS.join(","));
  if (method === "HEAD" && upload !== undefined) {
    if (upload.metadata !== "") headers.set("Upload-Metadata", upload.metadata);
    if (upload.concat !== "") headers.set("Upload-Concat", upload.concat);
    if (upload.entryId !== null) headers.set("Holdfast-Entry-Id", upload.entryId);
    else headers.set("Upload-Expires", upload.expiresAt.toUTCString());
  }
  return { status, headers: { ...Object.fromEntries(headers), ...copiesHeader(fewestCopies, replicas) } };
}
