import { createTestDatabase, type TestDatabase } from "@holdfast/db/testing";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createActor, findDiscrepancies, upload } from "./testing/drives.ts";
import {
  type Actor,
  createFolder,
  deleteForever,
  DriveError,
  emptyTrash,
  moveEntries,
  renameEntry,
  restoreEntries,
  trashEntries,
} from "./index.ts";

let database: TestDatabase;
beforeAll(async () => void (database = await createTestDatabase()));
afterAll(() => database.drop());

/** Which entry an operation is about: a position among all entries of the drive, the root first. */
const pick = fc.nat({ max: 1_000 });
const name = fc.constantFrom("a", "b", "c.txt", "d.txt");

type Operation = { [key in "parent" | "target" | "other"]: number } & { kind: (typeof kinds)[number]; name: string; sizeBytes: number };

const kinds = [
  "folder",
  "upload",
  "upload",
  "replace",
  "path",
  "rename",
  "move",
  "move",
  "trash",
  "trash",
  "restore",
  "delete",
  "empty",
] as const;
const operation: fc.Arbitrary<Operation> = fc.record({
  kind: fc.constantFrom(...kinds),
  parent: pick,
  target: pick,
  other: pick,
  name,
  sizeBytes: fc.nat({ max: 1_000 }),
});

async function perform(actor: Actor, { kind, parent, target, other, name, sizeBytes }: Operation): Promise<unknown> {
  const { pool } = database;
  const { rows } = await pool.query<{ id: string }>("SELECT id FROM entry WHERE drive_id = $1 ORDER BY parent_id IS NOT NULL, id", [
    actor.driveId,
  ]);
  const entry = (position: number) => rows[position % rows.length]!.id;
  switch (kind) {
    case "folder":
      return await createFolder(pool, actor, { parentId: entry(parent), name });
    case "upload":
      return await upload(pool, actor, { parentId: entry(parent), name, sizeBytes });
    case "replace":
      return await upload(pool, actor, { parentId: entry(parent), name, sizeBytes, conflict: "replace" });
    case "path":
      return await upload(pool, actor, { parentId: entry(parent), name, relativePath: `a/${name}/b`, sizeBytes });
    case "rename":
      return await renameEntry(pool, actor, { id: entry(target), name });
    case "move":
      return await moveEntries(pool, actor, { ids: [entry(target), entry(other)], parentId: entry(parent) });
    case "trash":
      return await trashEntries(pool, actor, [entry(target), entry(other)]);
    case "restore":
      return await restoreEntries(pool, actor, [entry(target)]);
    case "delete":
      return await deleteForever(pool, actor, [entry(target)]);
    case "empty":
      return await emptyTrash(pool, actor);
  }
}

/** Being refused is part of the game; anything but a refusal of ours is not. */
async function performOrRefuse(actor: Actor, step: Operation): Promise<void> {
  await perform(actor, step).catch((error: unknown) => {
    if (!(error instanceof DriveError)) throw error;
  });
}

test("after any sequence of operations, sizes, used bytes and paths are what a full scan counts", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { minLength: 10, maxLength: 60 }), async (operations) => {
      const actor = await createActor(database);
      for (const step of operations) await performOrRefuse(actor, step);
      expect(await findDiscrepancies(database.pool)).toEqual([]);
      await database.pool.query("DELETE FROM drive WHERE id = $1", [actor.driveId]);
    }),
    { numRuns: 30, verbose: true },
  );
});

test("after any operations at once, by eight hands, they are too, and nobody waited forever", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(operation, { maxLength: 8 }), { minLength: 8, maxLength: 8 }), async (hands) => {
      const actor = await createActor(database);
      for (const step of ["folder", "folder", "upload", "upload"] as const) {
        await performOrRefuse(actor, { kind: step, parent: 0, target: 1, other: 2, name: step, sizeBytes: 5 });
      }
      await Promise.all(
        hands.map(async (operations) => {
          for (const step of operations) await performOrRefuse(actor, step);
        }),
      );
      expect(await findDiscrepancies(database.pool)).toEqual([]);
      await database.pool.query("DELETE FROM drive WHERE id = $1", [actor.driveId]);
    }),
    { numRuns: 15, verbose: true },
  );
});
