/**
 * Serving the bytes of a file over HTTP.
 *
 * The bytes lie in chunks on several nodes; what the reader gets is one steady stream, fetched a few chunks ahead and never
 * further, whatever happens to nodes meanwhile. A whole answer is whole: when the bytes run out in mid-stream the
 * connection is cut, so that a shorter file is never taken for the file.
 */
import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type pg from "pg";
import { ByteBudget, ChunkBuffers } from "../byte-budget/index.ts";
import type { ChunkStore } from "../chunk-store/index.ts";
import type { Content } from "../drive/index.ts";
import { type Clock, limits, type Logger, systemClock } from "../kernel/index.ts";
import type { Membership, NodeSnapshot } from "../membership/index.ts";
import { createNodeStandings, type NodeStandings } from "../node-standing/index.ts";
import { type Answer, planAnswer } from "./answer.ts";
import { recordBadCopies } from "./bad-copies.ts";
import { createChunkReader, type ReadCounts } from "./chunk-reader.ts";
import { type ContentSource, openContent, type ReadRange } from "./content-stream.ts";
import { createExtentReader } from "./extents.ts";
import { HotChunks } from "./hot-chunks.ts";

/** Of the memory for downloads, what may at most be in the hands of readers who stand still. */
const LENT_SHARE = 1 / 3;

export interface DownloadsOptions {
  pool: pg.Pool;
  membership: Membership;
  clients: { clientFor(node: NodeSnapshot): ChunkStore };
  logger: Logger;
  /** Shared with the gateway's writers; its own by default. */
  standings?: NodeStandings;
  clock?: Clock;
  bufferBytes?: number;
  patienceMs?: number;
}

export interface DownloadCounts extends ReadCounts {
  /** Under way now. */
  active: number;
  /** Held in buffers now. */
  bufferedBytes: number;
  /** Since the start. */
  sentBytes: number;
  /** Likewise: reads of chunks for which no node was asked. */
  hotReads: number;
}

export interface Downloads {
  /**
   * Answers GET or HEAD for `content`. Resolves when the answer is out, or the client is gone. Rejects before the first
   * byte with a `DownloadError`; once bytes have been sent, a rejection means that the connection must be cut.
   */
  send(req: IncomingMessage, res: ServerResponse, content: Content, options: { asDownload: boolean }): Promise<void>;
  counts(): DownloadCounts;
}

export function createDownloads(options: DownloadsOptions): Downloads {
  const { pool, membership, clients, logger, clock = systemClock } = options;
  const { standings = createNodeStandings({ membership, clock }) } = options;
  const { bufferBytes = limits.downloadBufferBytes } = options;
  const buffers = new ChunkBuffers(bufferBytes);
  const onBadCopy = recordBadCopies({ pool, logger });
  const reader = new HotChunks(createChunkReader({ membership, clients, standings, onBadCopy }));
  const source: ContentSource = {
    pool,
    readExtents: createExtentReader(pool),
    reader,
    buffers,
    loans: new ByteBudget(bufferBytes * LENT_SHARE),
    clock,
    window: limits.downloadReadAhead,
    patienceMs: options.patienceMs ?? limits.downloadPatienceMs,
  };
  let active = 0;
  let sentBytes = 0;

  return {
    counts: () => ({ active, bufferedBytes: buffers.usedBytes, sentBytes, ...reader.counts() }),
    async send(req, res, content, { asDownload }) {
      const answer = planAnswer({ method: req.method!, headers: req.headers, asDownload, boundary: randomUUID() }, content);
      active++;
      try {
        const readRange = openContent(source, content, goneSignal(res));
        for await (const bytes of bodyOf(answer, readRange)) {
          if (!res.headersSent) res.writeHead(answer.status, answer.headers);
          await write(res, bytes);
          sentBytes += bytes.length;
        }
        if (!res.headersSent) res.writeHead(answer.status, answer.headers); // no body
        res.end();
      } catch (error) {
        if (!res.destroyed) throw error;
      } finally {
        active--;
      }
    },
  };
}

/** A part's head goes out only with its first bytes: until there are some, the answer can still be an error. */
async function* bodyOf({ parts, tail }: Answer, readRange: ReadRange): AsyncGenerator<Buffer> {
  for (const { head, range } of parts) {
    let pendingHead = head;
    for await (const bytes of readRange(range)) {
      if (pendingHead !== undefined) yield pendingHead;
      pendingHead = undefined;
      yield bytes;
    }
  }
  if (tail !== undefined) yield tail;
}

/** Aborts when the client leaves before it has the whole answer. */
function goneSignal(res: ServerResponse): AbortSignal {
  const gone = new AbortController();
  if (res.destroyed) gone.abort();
  else res.once("close", () => res.writableFinished || gone.abort());
  return gone.signal;
}

/** Resolves when the bytes have left our buffers; rejects when the client has left. */
function write(res: ServerResponse, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const gone = (): void => reject(new Error("the client left"));
    res.once("close", gone);
    res.write(bytes, (error) => {
      res.off("close", gone);
      if (error) reject(error);
      else resolve();
    });
  });
}
