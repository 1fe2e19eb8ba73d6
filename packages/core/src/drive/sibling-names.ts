/**
 * Which names are free in a folder. Whoever acts on the answer holds the drive's lock, so that what is free stays free.
 *
 * A folder has several indexes, and while the database does not know how much is in it, each looks as good as the one of its
 * names; the others lead to everything that is in it. So that one alone has the folder in another form, in which it must be
 * asked for: no other index answers then.
 */
import type pg from "pg";
import { type EntryName, nameParts } from "./entry-name.ts";
import { ENTRY_COLUMNS, type EntryKind, type EntryRow, type Queryable } from "./entry.ts";
import { DriveError } from "./errors.ts";

/** The folder that an entry is seen in, as the index of names has it. */
export const LIVING_PARENT = "CASE WHEN trashed_at IS NULL THEN parent_id END";

export async function findSibling(tx: pg.PoolClient, parentId: string, name: EntryName): Promise<EntryRow | undefined> {
  const { rows } = await tx.query<EntryRow>({
    name: "drive-sibling",
    text: `SELECT ${ENTRY_COLUMNS} FROM entry e WHERE ${LIVING_PARENT} = $1 AND name = $2`,
    values: [parentId, name],
  });
  return rows[0];
}

/** Those of the names that a folder has. */
export async function namesTaken(db: Queryable, parentId: string, names: readonly string[]): Promise<string[]> {
  const { rows } = await db.query<{ name: string }>(
    `SELECT wanted.name FROM unnest($2::text[]) AS wanted (name)
      CROSS JOIN LATERAL (SELECT FROM entry WHERE ${LIVING_PARENT} = $1 AND name = wanted.name LIMIT 1) AS taken`,
    [parentId, [...new Set(names)]],
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
     WHERE (SELECT true FROM entry WHERE ${LIVING_PARENT} = $1 AND name = candidate AND kind = ANY ($4::entry_kind[])) IS NULL LIMIT 1`,
    [parentId, stem, extension, takenBy],
  );
  return rows[0]!.candidate;
}
