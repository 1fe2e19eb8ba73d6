/** New names and new places. */
import { inTransaction } from "@holdfast/db";
import type pg from "pg";
import type { Actor } from "./actor.ts";
import { parseEntryName } from "./entry-name.ts";
import type { EntryRow } from "./entry.ts";
import { DriveError } from "./errors.ts";
import { refuseTakenName } from "./sibling-names.ts";
import { setPlace, settleEntries } from "./settling.ts";
import { addToSizes, lockDrive, refuseRoot, requireEntry, requireFolderPath, requireTopEntries } from "./tree.ts";

/** Rejects with `entry.not_found`, `entry.is_root`, `entry.name_taken`, `name.invalid` or `name.too_long`. */
export async function renameEntry(pool: pg.Pool, actor: Actor, { id, name: text }: { id: string; name: string }): Promise<EntryRow> {
  const name = parseEntryName(text);
  return await inTransaction(pool, async (tx) => {
    await lockDrive(tx, actor.driveId);
    const entry = await requireEntry(tx, actor, id);
    refuseRoot(entry);
    if (entry.name === name) return entry;
    await refuseTakenName(tx, entry.parentId!, name);
    return await setPlace(tx, id, entry.parentId!, name);
  });
}

/**
 * Moves all or, when one of them cannot be moved, none. What is below another one of them stays in it, and a name taken at
 * the target gets a number. Rejects with `entry.not_found`, `entry.not_a_folder`, `entry.is_root`, `entry.cycle` or `entry.too_deep`.
 */
export async function moveEntries(
  pool: pg.Pool,
  actor: Actor,
  { ids, parentId }: { ids: readonly string[]; parentId: string },
): Promise<EntryRow[]> {
  return await inTransaction(pool, async (tx) => {
    await lockDrive(tx, actor.driveId);
    const target = await requireFolderPath(tx, actor, parentId);
    const entries = await requireTopEntries(tx, actor, ids);
    const leaving = entries.filter((entry) => entry.parentId !== parentId);
    for (const entry of leaving) refuseCycle(entry, target);
    await addToSizes(
      tx,
      leaving.flatMap((entry) => [
        { folderId: entry.parentId!, bytes: -entry.sizeBytes },
        { folderId: parentId, bytes: entry.sizeBytes },
      ]),
    );
    return [...entries.filter((entry) => entry.parentId === parentId), ...(await settleEntries(tx, leaving, target))];
  });
}

function refuseCycle({ id, name }: EntryRow, target: readonly EntryRow[]): void {
  if (!target.some((folder) => folder.id === id)) return;
  throw new DriveError("entry.cycle", `"${name}" cannot be moved into itself. Choose a folder outside it.`, { id });
}
