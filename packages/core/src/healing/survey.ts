/**
 * What is missing, counted; and the chunks it is missing from, page by page.
 *
 * Both ask the chunk table, by its indexes on the number of copies and on the nodes. Nothing is remembered about a chunk:
 * after a crash, or under another leader, the rows alone say what has still to be done.
 */
import type pg from "pg";
import { type ChunkId, chunkIdFromBytes, chunkIdToBytes } from "../chunking/index.ts";
import { limits } from "../kernel/index.ts";
import type { ChunkFacts } from "./plan.ts";
import type { HealingView } from "./view.ts";

export interface Amount {
  chunks: number;
  /** What has to be copied. */
  bytes: number;
}

export interface Survey {
  /** Copies that should be made now. */
  due: Amount;
  /** Copies that are due only if their nodes do not return in time. */
  awaited: Amount;
  /** Chunks among those due that have one copy left. */
  last: number;
  /** Chunks without any copy within reach. */
  unreadable: number;
}

/** Which chunks to look for: short of copies, with so many left that fail independently; or with none short. */
export type Stage = { left: number } | "misplaced" | "surplus";

interface SurveyRow extends Amount {
  reachable: number;
  expected: number;
}

/** Chunks that were written a moment ago, on two nodes so far, are left out: their third copy is on its way. */
export async function surveyMissing(pool: pg.Pool, view: HealingView, settleMs: number): Promise<Survey> {
  const { rows } = await pool.query<SurveyRow>(
    `SELECT reachable, expected, count(*) AS chunks, sum(length) AS bytes FROM (${SHORT_CHUNKS}) chunk WHERE ${MATTERS} GROUP BY reachable, expected`,
    shortChunkValues(view, settleMs),
  );
  const survey: Survey = { due: { chunks: 0, bytes: 0 }, awaited: { chunks: 0, bytes: 0 }, last: 0, unreadable: 0 };
  const { wanted } = view.terms;
  for (const { reachable, expected, chunks, bytes } of rows) {
    const missing = Math.max(wanted - expected, reachable === 1 ? 1 : 0);
    if (reachable === 0) survey.unreadable += chunks;
    if (reachable === 0) continue;
    if (reachable === 1) survey.last += chunks;
    const amount = missing > 0 ? survey.due : survey.awaited;
    amount.chunks += chunks;
    amount.bytes += bytes * (missing > 0 ? missing : wanted - reachable);
  }
  return survey;
}

/** In ascending order of id, after `after`. */
export async function candidates(
  pool: pg.Pool,
  view: HealingView,
  stage: Stage,
  { after, settleMs }: { after: ChunkId | undefined; settleMs: number },
): Promise<ChunkFacts[]> {
  const { text, values } = candidateQuery(view, stage, settleMs);
  const place = values.length;
  const { rows } = await pool.query<Omit<ChunkFacts, "id"> & { id: Buffer }>(
    `SELECT id, length, replicas, state FROM (${text}) chunk WHERE id > $${place + 1} ORDER BY id LIMIT $${place + 2}`,
    [...values, after === undefined ? Buffer.alloc(0) : chunkIdToBytes(after), limits.healingPageChunks],
  );
  return rows.map((row) => ({ ...row, id: chunkIdFromBytes(row.id) }));
}

/** What is so of them now, in this order; those that are gone are left out. */
export async function readChunks(pool: pg.Pool, chunks: readonly Pick<ChunkFacts, "id">[]): Promise<ChunkFacts[]> {
  if (chunks.length === 0) return [];
  const { rows } = await pool.query<Omit<ChunkFacts, "id"> & { id: Buffer }>({
    name: "healing-chunks",
    text: `SELECT id, length, replicas, state FROM unnest($1::bytea[]) WITH ORDINALITY AS wanted (id, place) JOIN chunk USING (id) ORDER BY place`,
    values: [chunks.map(({ id }) => chunkIdToBytes(id))],
  });
  return rows.map((row) => ({ ...row, id: chunkIdFromBytes(row.id) }));
}

function candidateQuery(view: HealingView, stage: Stage, settleMs: number): { text: string; values: unknown[] } {
  const { wanted } = view.terms;
  if (stage === "surplus") return { text: SURPLUS_CHUNKS, values: [view.absent, view.removed, wanted] };
  if (stage === "misplaced")
    return { text: MISPLACED_CHUNKS, values: [view.absent, view.domains, wanted, Math.min(wanted, view.domainsWithRoom)] };
  const values = [...shortChunkValues(view, settleMs), view.domains, stage.left];
  return {
    text: `SELECT * FROM (${SHORT_CHUNKS}) chunk WHERE ${MATTERS} AND reachable > 0 AND ${DUE} AND ${independent("$5")} = $6`,
    values,
  };
}

function shortChunkValues({ absent, lost, terms }: HealingView, settleMs: number): unknown[] {
  return [absent, lost, terms.wanted, settleMs];
}

const REACHABLE = "(SELECT count(*) FROM unnest(replicas) AS node WHERE node <> ALL ($1::smallint[]))";

const independent = (domains: string): string =>
  `(SELECT count(DISTINCT (${domains}::int[])[node]) FROM unnest(replicas) AS node WHERE node <> ALL ($1::smallint[]))`;

/** $1 absent nodes, $2 lost nodes, $3 wanted copies, $4 milliseconds. */
const SHORT_CHUNKS = `
  SELECT id, length, replicas, state, ${REACHABLE} AS reachable,
         (SELECT count(*) FROM unnest(replicas) AS node WHERE node <> ALL ($2::smallint[])) AS expected,
         created_at < now() - $4::bigint * interval '1 millisecond' OR cardinality(replicas) >= $3::int AS settled
    FROM chunk
   WHERE state = 'live' AND (cardinality(replicas) < $3::int OR replicas && $1::smallint[])`;

const MATTERS = "reachable < $3::int AND (settled OR reachable < 2)";
const DUE = "(reachable = 1 OR expected < $3::int)";

/** $1 absent nodes, $2 removed nodes, $3 wanted copies. */
const SURPLUS_CHUNKS = `
  SELECT id, length, replicas, state FROM chunk
   WHERE state = 'live' AND cardinality(replicas) > $3::int
     AND (${REACHABLE} > $3::int OR replicas && $2::smallint[] AND ${REACHABLE} = $3::int)`;

/** $1 absent nodes, $2 domains, $3 wanted copies, $4 domains to be had. */
const MISPLACED_CHUNKS = `
  SELECT id, length, replicas, state FROM chunk
   WHERE state = 'live' AND cardinality(replicas) >= $3::int AND ${REACHABLE} >= $3::int AND ${independent("$2")} < $4::int`;
