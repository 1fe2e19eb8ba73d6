import type { Actor } from "./actor.ts";
import type { Queryable } from "./entry.ts";
import { namesTaken } from "./sibling-names.ts";
import { requireFolderPath } from "./tree.ts";

/**
 * Which of these names a folder has already: what an upload asks a person about before it begins. Only a hint, for the
 * folder may change meanwhile; the upload's own conflict policy decides in the end.
 * Rejects with `entry.not_found` or `entry.not_a_folder`.
 */
export async function takenNames(
  db: Queryable,
  actor: Actor,
  { parentId, names }: { parentId: string; names: readonly string[] },
): Promise<string[]> {
  await requireFolderPath(db, actor, parentId);
  return await namesTaken(
    db,
    parentId,
    names.filter((name) => !name.includes("\0")).map((name) => name.normalize("NFC")),
  );
}
