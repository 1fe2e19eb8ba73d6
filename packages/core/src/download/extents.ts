import { listOfAnyLength } from "@holdfast/db";
import type pg from "pg";
import type { ChunkPart } from "../chunk-store/index.ts";
import { type ChunkId, chunkIdFromBytes, chunkIdToBytes } from "../chunking/index.ts";
import type { Extent } from "../drive/index.ts";
import { createGathering } from "../gathering/index.ts";
import { limits } from "../kernel/index.ts";
import type { ByteRange } from "./ranges.ts";

/** A chunk and the nodes that were said to hold it. */
export interface StoredChunk {
  id: ChunkId;
  length: number;
  replicas: readonly number[];
}

/** Bytes `from` to `to` (exclusive) of a chunk: what a range takes of it. */
export interface Piece {
  chunk: StoredChunk;
  from: number;
  to: number;
}

/** A part of at most this share of its chunk is fetched alone; what is more would hardly be quicker. */
const PART_SHARE = 1 / 4;

/** What of its chunk is fetched for a piece; undefined for all of it. A short chunk is not worth the difference. */
export function partOf({ chunk: { length }, from, to }: Piece): ChunkPart | undefined {
  return length > limits.smallChunkBytesMax && to - from <= length * PART_SHARE ? { from, to } : undefined;
}

/** Extents read at a time for one download: 1 GiB of a file in large chunks. A file of any size costs no more memory than this. */
const BATCH = 256;
/** Downloads for which they are read at once. */
const READ_AT_ONCE = 64;

/** One batch of a version's extents in order, from the one that holds the byte at `offset` to at most the one before `end`. */
export type ReadExtents = (versionId: string, offset: number, end: number) => Promise<Extent[]>;

interface Stretch {
  versionId: string;
  offset: number;
  end: number;
}

/** One query for all who ask at one moment. */
export function createExtentReader(pool: pg.Pool): ReadExtents {
  const read = createGathering({ itemsMax: READ_AT_ONCE, work: (_, stretches: readonly Stretch[]) => readStretches(pool, stretches) });
  return (versionId, offset, end) => read("", { versionId, offset, end });
}

async function readStretches(pool: pg.Pool, stretches: readonly Stretch[]): Promise<Extent[][]> {
  const { rows } = await pool.query<Extent & { place: number }>({
    name: "download-extents",
    text: EXTENTS,
    values: [stretches.map(({ versionId }) => versionId), stretches.map(({ offset }) => offset), stretches.map(({ end }) => end)],
  });
  const batches: Extent[][] = stretches.map(() => []);
  for (const row of rows) batches[row.place - 1]!.push(row);
  return batches;
}

const LISTS = ["$1::uuid[]", "$2::bigint[]", "$3::bigint[]"].map(listOfAnyLength).join(", ");
const EXTENTS = `
  SELECT stretch.place, e.*
    FROM unnest(${LISTS}) WITH ORDINALITY AS stretch (version_id, start, until, place)
   CROSS JOIN LATERAL (
     SELECT e."offset", e.length, e.chunk_id AS "chunkId", e.chunk_offset AS "chunkOffset", c.length AS "chunkLength", c.replicas
       FROM extent e JOIN chunk c ON c.id = e.chunk_id
      WHERE e.version_id = stretch.version_id AND e."offset" < stretch.until
        AND e."offset" >= (SELECT max("offset") FROM extent WHERE version_id = stretch.version_id AND "offset" <= stretch.start)
      ORDER BY e."offset" LIMIT ${BATCH}
   ) AS e
   ORDER BY stretch.place, e."offset"`;

/** Who holds the chunk now: repair may have moved it since its extent was read. */
export async function readReplicas(pool: pg.Pool, id: ChunkId): Promise<number[]> {
  const { rows } = await pool.query<{ replicas: number[] }>("SELECT replicas FROM chunk WHERE id = $1", [chunkIdToBytes(id)]);
  return rows[0]?.replicas ?? [];
}

/** The pieces of a range, in order and without a gap. Throws when the extents have one: no byte is ever made up or left out. */
export async function* piecesOf(readExtents: (offset: number, end: number) => Promise<Extent[]>, range: ByteRange): AsyncGenerator<Piece> {
  const end = range.offset + range.length;
  let position = range.offset;
  while (position < end) {
    const rows = await readExtents(position, end);
    if (rows.length === 0) throw missing(position);
    for (const { offset, length, chunkId, chunkOffset, chunkLength, replicas } of rows) {
      const from = position - offset;
      if (from < 0 || from >= length) throw missing(position);
      const to = Math.min(length, end - offset);
      yield { chunk: { id: chunkIdFromBytes(chunkId), length: chunkLength, replicas }, from: chunkOffset + from, to: chunkOffset + to };
      position = offset + to;
    }
  }
}

function missing(position: number): Error {
  return new Error(`a committed version has no extent for its byte ${position}`);
}
