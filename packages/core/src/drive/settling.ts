/** Putting entries that exist into a folder, each under its own name or, where that is taken, under a number. */
import type pg from "pg";
import type { EntryName } from "./entry-name.ts";
import { ENTRY_COLUMNS, type EntryRow } from "./entry.ts";
import { freeName, namesTaken } from "./sibling-names.ts";
import { checkDepth, heightOf } from "./tree.ts";

/** Takes them out of the trash too. Sizes are the caller's business, and so is the lock. Rejects with `entry.too_deep`. */
export async function settleEntries(tx: pg.PoolClient, entries: readonly EntryRow[], target: readonly EntryRow[]): Promise<EntryRow[]> {
  checkDepth(target, await heightOf(tx, idsOf(entries)));
  const parentId = target.at(-1)!.id;
  const { welcome, clashing } = await sortByName(tx, entries, parentId);

  const { rows: settled } = await tx.query<EntryRow>(
    `UPDATE entry AS e SET parent_id = $2, trashed_at = NULL WHERE e.id = ANY ($1::uuid[]) RETURNING ${ENTRY_COLUMNS}`,
    [idsOf(welcome), parentId],
  );
  for (const { id, name, kind } of clashing) {
    settled.push(await setPlace(tx, id, parentId, await freeName(tx, parentId, name as EntryName, kind)));
  }
  return settled;
}

/** Of two with one name, the first is welcome. */
async function sortByName(tx: pg.PoolClient, entries: readonly EntryRow[], parentId: string) {
  const names = entries.map((entry) => entry.name);
  const taken = new Set(await namesTaken(tx, parentId, names));
  const welcome: EntryRow[] = [];
  const clashing: EntryRow[] = [];
  for (const entry of entries) {
    (taken.has(entry.name) ? clashing : welcome).push(entry);
    taken.add(entry.name);
  }
  return { welcome, clashing };
}

/** Outside the trash, at this place, under a name that the caller knows to be free. */
export async function setPlace(tx: pg.PoolClient, id: string, parentId: string, name: EntryName): Promise<EntryRow> {
  const { rows } = await tx.query<EntryRow>(
    `UPDATE entry AS e SET parent_id = $2, name = $3, trashed_at = NULL WHERE e.id = $1 RETURNING ${ENTRY_COLUMNS}`,
    [id, parentId, name],
  );
  return rows[0]!;
}

function idsOf(entries: readonly EntryRow[]): string[] {
  return entries.map((entry) => entry.id);
}
