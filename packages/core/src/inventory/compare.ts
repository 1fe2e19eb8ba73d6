/**
 * What a node holds, beside what the chunk rows say it holds: two sorted lists, walked together in bounded memory.
 *
 * Nothing it says is final: the listing and the rows are read one after the other, while the cluster lives. Whoever acts on
 * a difference asks again.
 */
import type pg from "pg";
import { type ChunkId, chunkIdFromBytes, chunkIdToBytes } from "../chunking/index.ts";
import type { ChunkStat, ChunkStore } from "../chunk-store/index.ts";
import { limits } from "../kernel/index.ts";

/** Rows of one statement. */
const ROWS_MAX = 4 * limits.listPageMax;

export interface RangeDifferences {
  /** Chunks that the node listed. */
  held: number;
  /** Live, said to be on this node, and not listed by it. */
  missing: ChunkId[];
  /** The same of condemned ones: there is nothing left to trash. */
  missingCondemned: ChunkId[];
  /** Live, and this node is not said to hold them. */
  unlisted: ChunkStat[];
  unlistedCondemned: ChunkStat[];
  /** The database has never heard of them, or has forgotten them. */
  unknown: ChunkStat[];
  /** The database's time of the question. */
  asOf: Date;
}

interface Row {
  id: ChunkId;
  state: "live" | "condemned";
  isListed: boolean;
  /** Its copies are being trashed at this moment. */
  isBeingTrashed: boolean;
}

/** Range by range, in the order of the ids. Rejects when the node or the database does not answer: then nothing is known of the rest. */
export async function* compareNode(pool: pg.Pool, store: Pick<ChunkStore, "list">, nodeId: number): AsyncGenerator<RangeDifferences> {
  let held: ChunkStat[] = [];
  let isListEnded = false;
  for (let after: ChunkId | undefined; ;) {
    if (held.length === 0 && !isListEnded) {
      held = await store.list(after, limits.listPageMax);
      isListEnded = held.length === 0;
    }
    const upTo = isListEnded ? undefined : held.at(-1)!.id;
    const { rows, asOf } = await readRows(pool, { nodeId, after, upTo, held });
    const through: ChunkId | undefined = rows.length === ROWS_MAX ? rows.at(-1)!.id : upTo;
    const isInRange = ({ id }: ChunkStat): boolean => through === undefined || id <= through;
    yield differences(held.filter(isInRange), rows, asOf);
    if (through === undefined) return;
    held = held.filter((chunk) => !isInRange(chunk));
    after = through;
  }
}

function differences(held: readonly ChunkStat[], rows: readonly Row[], asOf: Date): RangeDifferences {
  const listed = new Set(held.map(({ id }) => id));
  const known = new Map(rows.map((row) => [row.id, row]));
  const missing = rows.filter(({ id, isListed }) => isListed && !listed.has(id));
  const unlisted = held.filter(({ id }) => known.has(id) && !known.get(id)!.isListed && !known.get(id)!.isBeingTrashed);
  const isLive = ({ id }: { id: ChunkId }): boolean => known.get(id)!.state === "live";
  return {
    held: held.length,
    missing: missing.filter(isLive).map(({ id }) => id),
    missingCondemned: missing.filter((row) => !isLive(row)).map(({ id }) => id),
    unlisted: unlisted.filter(isLive),
    unlistedCondemned: unlisted.filter((chunk) => !isLive(chunk)),
    unknown: held.filter(({ id }) => !known.has(id)),
    asOf,
  };
}

interface Range {
  nodeId: number;
  after: ChunkId | undefined;
  upTo: ChunkId | undefined;
  held: readonly ChunkStat[];
}

/** What is said to be on the node in this range, and what the node listed: at most `ROWS_MAX`, from the front. */
async function readRows(pool: pg.Pool, { nodeId, after, upTo, held }: Range): Promise<{ rows: Row[]; asOf: Date }> {
  const { rows } = await pool.query<Omit<Row, "id"> & { id: Buffer; asOf: Date }>({
    name: "inventory-rows",
    text: `SELECT id, state, $3::smallint = ANY (replicas) AS "isListed",
                  coalesce(trashing_until >= clock_timestamp(), false) AS "isBeingTrashed", statement_timestamp() AS "asOf"
             FROM chunk WHERE id > $1 AND ($2::bytea IS NULL OR id <= $2) AND ($3::smallint = ANY (replicas) OR id = ANY ($4::bytea[]))
            ORDER BY id LIMIT $5`,
    values: [
      after === undefined ? Buffer.alloc(0) : chunkIdToBytes(after),
      upTo === undefined ? null : chunkIdToBytes(upTo),
      nodeId,
      held.map(({ id }) => chunkIdToBytes(id)),
      ROWS_MAX,
    ],
  });
  return { rows: rows.map((row) => ({ ...row, id: chunkIdFromBytes(row.id) })), asOf: rows[0]?.asOf ?? new Date(0) };
}
