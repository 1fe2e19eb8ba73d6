import type { Actor } from "./actor.ts";
import type { EntryRow, Queryable } from "./entry.ts";
import { type PathStep, stepsOf } from "./folders.ts";
import { requirePath } from "./tree.ts";

export interface VersionRow {
  id: string;
  sizeBytes: number;
  createdAt: Date;
  current: boolean;
}

/** How many nodes that are neither down nor removed hold each chunk of a file. */
export interface CopiesSummary {
  wanted: number;
  /** Null when there is nothing to hold: a folder, or an empty file. */
  fewest: number | null;
  /** Chunks by their number of copies: `{ "2": 1, "3": 40 }`. */
  byCopies: Record<string, number>;
}

export interface EntryDetails extends EntryRow {
  /** From the root to the entry, both included. */
  path: PathStep[];
  /** Latest first. */
  versions: VersionRow[];
  copies: CopiesSummary;
}

/** `replicas` is how many copies are kept unless an operator wants another number. Rejects with `entry.not_found`. */
export async function describeEntry(db: Queryable, actor: Actor, id: string, replicas: number): Promise<EntryDetails> {
  const path = await requirePath(db, actor, id);
  const versions = await readVersions(db, id);
  const current = versions.find((version) => version.current);
  const byCopies = current === undefined ? {} : await countCopies(db, current.id);
  const counts = Object.keys(byCopies).map(Number);
  const copies = { wanted: await copiesWanted(db, replicas), fewest: counts.length === 0 ? null : Math.min(...counts), byCopies };
  return { ...path.at(-1)!, path: stepsOf(path), versions, copies };
}

async function copiesWanted(db: Queryable, replicas: number): Promise<number> {
  const { rows } = await db.query<{ replicas: number }>("SELECT coalesce((SELECT replicas FROM cluster), $1::int) AS replicas", [replicas]);
  return rows[0]!.replicas;
}

async function readVersions(db: Queryable, entryId: string): Promise<VersionRow[]> {
  const { rows } = await db.query<VersionRow>(
    `SELECT v.id, v.size_bytes AS "sizeBytes", v.created_at AS "createdAt", v.id = e.current_version_id AS current
     FROM version v JOIN entry e ON e.id = v.entry_id WHERE v.entry_id = $1 ORDER BY v.created_at DESC, v.id DESC`,
    [entryId],
  );
  return rows;
}

async function countCopies(db: Queryable, versionId: string): Promise<Record<string, number>> {
  const { rows } = await db.query<{ copies: number; chunks: number }>(
    `SELECT copies, count(*) AS chunks FROM (
       SELECT (SELECT count(*) FROM node WHERE node.id = ANY (chunk.replicas) AND node.health <> 'down' AND node.intent <> 'removed') AS copies
       FROM chunk WHERE chunk.id IN (SELECT chunk_id FROM extent WHERE version_id = $1)
     ) AS counted GROUP BY copies ORDER BY copies`,
    [versionId],
  );
  return Object.fromEntries(rows.map(({ copies, chunks }) => [copies, chunks]));
}
