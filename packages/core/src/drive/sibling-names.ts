/** Which names are free in a folder. Whoever acts on the answer holds the drive's lock, so that what is free stays free. */
import type pg from "pg";
import { type EntryName, nameParts } from "./entry-name.ts";
import { ENTRY_COLUMNS, type EntryKind, type EntryRow, type Queryable } from "./entry.ts";
import { DriveError } from "./errors.ts";

export async function findSibling(tx: pg.PoolClient, parentId: string, name: EntryName): Promise<EntryRow | undefined> {
  const { rows } = await tx.query<EntryRow>(
    `SELECT ${ENTRY_COLUMNS} FROM entry e WHERE e.parent_id = $1 AND e.name = $2 AND e.trashed_at IS NULL`,
    [parentId, name],
  );
  return rows[0];
}

/** Those of the names that a folder has. */
export async function namesTaken(db: Queryable, parentId: string, names: readonly string[]): Promise<string[]> {
  const { rows } = await db.query<{ name: string }>(
    "SELECT name FROM entry WHERE parent_id = $1 AND name = ANY ($2::text[]) AND trashed_at IS NULL",
    [parentId, names],
  );
  return rows.map((row) => row.name);
}

/** Rejects with `entry.name_taken`. */
export async function refuseTakenName(tx: pg.PoolClient, parentId: string, name: EntryName): Promise<void> {
  if ((await findSibling(tx, parentId, name)) !== undefined) {
    throw new DriveError("entry.name_taken", `"${name}" exists here already. Choose another name.`, { name });
  }
}

/** `name`, or the first of "name (2)", "name (3)", … that no sibling of the kinds `takenBy` has. */
export async function freeName(
  tx: pg.PoolClient,
  parentId: string,
  name: EntryName,
  kind: EntryKind,
  takenBy: readonly EntryKind[] = ["folder", "file"],
): Promise<EntryName> {
  const existing = await findSibling(tx, parentId, name);
  if (existing === undefined || !takenBy.includes(existing.kind)) return name;
  const { stem, extension } = nameParts(name, kind);
  const { rows } = await tx.query<{ candidate: EntryName }>(
    `SELECT candidate FROM (SELECT $2 || ' (' || generate_series(2, 999999) || ')' || $3 AS candidate) AS candidates
     WHERE NOT EXISTS (
       SELECT FROM entry WHERE parent_id = $1 AND name = candidate AND trashed_at IS NULL AND kind = ANY ($4::entry_kind[])
     ) LIMIT 1`,
    [parentId, stem, extension, takenBy],
  );
  return rows[0]!.candidate;
}
