import type pg from "pg";
import type { ByteBudget, ChunkBuffers } from "../byte-budget/index.ts";
import type { Content, Extent } from "../drive/index.ts";
import { isDatabaseUnavailable } from "../http-edge/index.ts";
import type { Clock } from "../kernel/index.ts";
import type { ChunkReader } from "./chunk-reader.ts";
import { DownloadError } from "./errors.ts";
import { partOf, type Piece, piecesOf, type ReadExtents, readReplicas, type StoredChunk } from "./extents.ts";
import { patiently } from "./patience.ts";
import type { ByteRange } from "./ranges.ts";
import { readAhead } from "./read-ahead.ts";

export interface ContentSource {
  pool: pg.Pool;
  readExtents: ReadExtents;
  reader: ChunkReader;
  buffers: ChunkBuffers;
  loans: ByteBudget;
  clock: Clock;
  /** Chunks fetched at once for one download. */
  window: number;
  patienceMs: number;
}

/** The bytes of one range, chunk by chunk. */
export type ReadRange = (range: ByteRange) => AsyncGenerator<Buffer>;

/**
 * Reads ranges of one content for one request.
 *
 * The first chunk is tried once: until it is there the caller can still be told what is wrong. After that a copy, or the
 * database, has a while to come back, for all that could be done instead is to cut the connection.
 */
export function openContent(source: ContentSource, { versionId, onlyExtent }: Content, signal: AbortSignal): ReadRange {
  const { pool, readExtents, reader, buffers, loans, clock, window, patienceMs } = source;
  let begun = false;

  const patience = (until: AbortSignal) => ({ clock, forMs: begun ? patienceMs : 0, signal: until, mayPass });
  const fetch = (piece: Piece, into: Buffer, cancelled: AbortSignal): Promise<Buffer> => {
    const { chunk } = piece;
    const options = { part: partOf(piece), signal: cancelled, into };
    const fetched = patiently(patience(cancelled), async (attempt) =>
      reader.read(attempt === 0 ? chunk : await relocated(pool, chunk), options),
    );
    begun = true;
    return fetched;
  };
  const extentsOf = async (offset: number, end: number): Promise<Extent[]> =>
    onlyExtent === undefined ? await patiently(patience(signal), () => readExtents(versionId, offset, end)) : [onlyExtent];
  return (range) => {
    const pieces = piecesOf(extentsOf, range);
    return readAhead(pieces, fetch, { window, buffers, loans, signal });
  };
}

/** Repair may have moved the chunk since its extent was read. */
async function relocated(pool: pg.Pool, chunk: StoredChunk): Promise<StoredChunk> {
  return { ...chunk, replicas: await readReplicas(pool, chunk.id).catch(() => chunk.replicas) };
}

function mayPass(error: unknown): boolean {
  return isDatabaseUnavailable(error) || (error instanceof DownloadError && error.code === "content.unavailable");
}
