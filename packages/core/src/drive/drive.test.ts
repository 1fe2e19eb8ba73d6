import { createTestDatabase, type TestDatabase } from "@holdfast/db/testing";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createLogger, DAY_MS } from "../kernel/index.ts";
import { createActor, findDiscrepancies, receiveVersion, upload } from "./testing/drives.ts";
import {
  type Actor,
  createContentFinder,
  createFolder,
  createFolders,
  deleteForever,
  createTrashSweeper,
  describeEntry,
  type DriveError,
  emptyTrash,
  type FindContent,
  listEntries,
  listTrash,
  moveEntries,
  openFolder,
  renameEntry,
  requireUploadParent,
  restoreEntries,
  takenNames,
  trashEntries,
} from "./index.ts";
import { requireRoom } from "./quota.ts";
import type { DeletionBatches } from "./deleting.ts";

let database: TestDatabase;
let actor: Actor;
beforeAll(async () => void (database = await createTestDatabase()));
afterAll(() => database.drop());
beforeEach(async () => void (actor = await createActor(database)));
afterEach(async () => {
  const discrepancies = await findDiscrepancies(database.pool);
  if (discrepancies.length > 0) throw new Error(`what is kept differs from what is counted: ${JSON.stringify(discrepancies)}`);
});

const folder = (name: string, parentId = actor.rootId) => createFolder(database.pool, actor, { parentId, name });
const file = (name: string, parentId = actor.rootId, sizeBytes = 10) => upload(database.pool, actor, { name, parentId, sizeBytes });
const findContent: FindContent = (...wish) => createContentFinder(database.pool)(...wish);
const trash = (...ids: string[]) => trashEntries(database.pool, actor, ids);
const restore = (...ids: string[]) => restoreEntries(database.pool, actor, ids);
const move = (parentId: string, ...ids: string[]) => moveEntries(database.pool, actor, { ids, parentId });
const sizeOf = async (id?: string) => (await openFolder(database.pool, actor, id)).sizeBytes;
const code = (expected: string) => expect.objectContaining({ code: expected });

/** What each was rejected with; undefined for what succeeded. */
async function failuresOf(attempts: Promise<unknown>[]): Promise<unknown[]> {
  const results = await Promise.allSettled(attempts);
  return results.map((result) => (result.status === "rejected" ? (result.reason as unknown) : undefined));
}

async function usedBytes(): Promise<number> {
  return Number((await database.prisma.drive.findUniqueOrThrow({ where: { id: actor.driveId } })).usedBytes);
}

async function namesIn(parentId = actor.rootId): Promise<string[]> {
  const page = await listEntries(database.pool, actor, { parentId, sort: "name", direction: "asc", limit: 1000 });
  return page.items.map((entry) => entry.name);
}

describe("placing an upload", () => {
  test("twice the same name at once: both are kept, one with a number", async () => {
    const placed = await Promise.all([file("photo.jpg"), file("photo.jpg"), file("photo.jpg")]);
    expect(placed.map((result) => result.name).toSorted()).toEqual(["photo (2).jpg", "photo (3).jpg", "photo.jpg"]);
  });

  test("composed and decomposed spellings of a name meet", async () => {
    await file("Caf\u00e9.txt");
    expect((await file("Cafe\u0301.txt")).name).toBe("Caf\u00e9 (2).txt");
  });

  test("a name of full length still gets its number", async () => {
    const name = `${"é".repeat(125)}.jpeg`;
    await file(name);
    const second = await file(name);
    expect(second.name).toMatch(/^é+ \(2\)\.jpeg$/);
    expect(Buffer.byteLength(second.name)).toBeLessThanOrEqual(255);
  });

  test("replace makes a new version of the same file; the old one still counts and can be read", async () => {
    const first = await file("a.txt", actor.rootId, 10);
    const before = await findContent(actor, first.entryId, undefined);
    const second = await upload(database.pool, actor, { name: "a.txt", sizeBytes: 25, conflict: "replace" });
    expect(second).toEqual({ entryId: first.entryId, name: "a.txt", outcome: "replaced", isRelocated: false });
    expect(await findContent(actor, first.entryId, undefined)).toMatchObject({ sizeBytes: 25 });
    expect(await findContent(actor, first.entryId, before.versionId)).toMatchObject({ sizeBytes: 10 });
    expect([await sizeOf(), await usedBytes()]).toEqual([25, 35]);
  });

  test("skip leaves what is there and attaches nothing", async () => {
    const first = await file("a.txt");
    const versionId = await receiveVersion(database.pool, actor);
    expect(await upload(database.pool, actor, { name: "a.txt", versionId, conflict: "skip" })).toEqual({ ...first, outcome: "skipped" });
    expect(await database.prisma.version.findUnique({ where: { id: versionId } })).toMatchObject({ state: "receiving", entryId: null });
  });

  test("replace and skip are about files: next to a folder of that name the file is kept with a number", async () => {
    await folder("notes");
    expect(await upload(database.pool, actor, { name: "notes", conflict: "replace" })).toMatchObject({
      name: "notes (2)",
      outcome: "created",
    });
    expect(await upload(database.pool, actor, { name: "notes", conflict: "skip" })).toMatchObject({
      name: "notes (2)",
      outcome: "skipped",
    });
  });

  test("the folders of a relative path are made once, also by many at once", async () => {
    await Promise.all([1, 2, 3, 4].map((n) => upload(database.pool, actor, { name: `${n}.txt`, relativePath: `a/b/${n}.txt` })));
    expect(await namesIn()).toEqual(["a"]);
    expect(await sizeOf()).toBe(40);
  });

  test("where a file has a folder's name, all uploads of the path find the one numbered folder", async () => {
    await file("a");
    await upload(database.pool, actor, { name: "1.txt", relativePath: "a/1.txt" });
    await upload(database.pool, actor, { name: "2.txt", relativePath: "a/2.txt" });
    expect(await namesIn()).toEqual(["a (2)", "a"]);
  });

  test("the folder was trashed or deleted during the upload: the file is not lost, it is in the root", async () => {
    const [trashed, deleted] = [await folder("trashed"), await folder("deleted")];
    await trash(trashed.id, deleted.id);
    await deleteForever(database.pool, actor, [deleted.id]);
    await file("1.txt", trashed.id);
    await file("2.txt", deleted.id);
    expect(await namesIn()).toEqual(["1.txt", "2.txt"]);
  });

  test("a version is placed once", async () => {
    const versionId = await receiveVersion(database.pool, actor);
    await upload(database.pool, actor, { versionId });
    await expect(upload(database.pool, actor, { versionId })).rejects.toThrow(/current_version_id/);
  });

  test("of uploads that race for the last bytes of a quota only those are placed that fit", async () => {
    await database.pool.query("UPDATE drive SET quota_bytes = 25 WHERE id = $1", [actor.driveId]);
    const results = await Promise.allSettled(["a", "b", "c", "d"].map((name) => file(name)));
    const refused = results.filter((result) => result.status === "rejected");
    expect(refused.map((result) => result.reason as unknown)).toEqual([code("drive.over_quota"), code("drive.over_quota")]);
    await expect(requireRoom(database.pool, actor.driveId, 6)).rejects.toEqual(code("drive.over_quota"));
    await expect(requireRoom(database.pool, actor.driveId, 5)).resolves.toBeUndefined();
  });
});

describe("folders", () => {
  test("the way from the root is told", async () => {
    const a = await folder("a");
    const b = await folder("b", a.id);
    expect(await openFolder(database.pool, actor, b.id)).toMatchObject({
      name: "b",
      path: [{ name: "My Drive" }, { id: a.id }, { id: b.id }],
    });
  });

  test("of folders without a file only what is missing is made, beside a file of the name under a number; all or none", async () => {
    const paths = ["trip/photos/raw", "trip/photos", "trip/notes", "/x//y/"];
    await createFolders(database.pool, actor, { parentId: actor.rootId, paths });
    await file("notes (file)", actor.rootId);
    await createFolders(database.pool, actor, { parentId: actor.rootId, paths: [...paths, "notes (file)/a"] });
    expect(await namesIn()).toEqual(["notes (file) (2)", "trip", "x", "notes (file)"]);
    const { rows } = await database.pool.query("SELECT FROM entry WHERE drive_id = $1 AND kind = 'folder'", [actor.driveId]);
    expect(rows).toHaveLength(1 + 4 + 2 + 2);

    const refused = createFolders(database.pool, actor, { parentId: actor.rootId, paths: ["new", "a/../b"] });
    await expect(refused).rejects.toEqual(code("name.invalid"));
    expect(await namesIn()).not.toContain("new");
  });

  test("two at once with one name: one is made, the other is told", async () => {
    const results = await Promise.allSettled([folder("a"), folder("a"), folder("a")]);
    expect(results.filter((result) => result.status === "fulfilled")).toHaveLength(1);
    await expect(folder("a")).rejects.toEqual(code("entry.name_taken"));
  });

  test("a hundred deep is the end, by making and by moving", async () => {
    let parentId = actor.rootId;
    for (let depth = 1; depth <= 100; depth++) parentId = (await folder(`${depth}`, parentId)).id;
    await expect(folder("101", parentId)).rejects.toEqual(code("entry.too_deep"));
    const other = await folder("other");
    await expect(move(parentId, other.id)).rejects.toEqual(code("entry.too_deep"));
    await expect(upload(database.pool, actor, { parentId, relativePath: "x/y" })).rejects.toEqual(code("entry.too_deep"));
    expect((await file("a.txt", parentId)).outcome).toBe("created");
  });
});

describe("renaming and moving", () => {
  test("a rename to a sibling's name is refused, to its own is nothing", async () => {
    const a = await folder("a");
    await folder("b");
    await expect(renameEntry(database.pool, actor, { id: a.id, name: "b" })).rejects.toEqual(code("entry.name_taken"));
    expect(await renameEntry(database.pool, actor, { id: a.id, name: "a" })).toEqual(a);
    expect(await renameEntry(database.pool, actor, { id: a.id, name: "ä.txt" })).toMatchObject({ name: "ä.txt", modifiedAt: a.modifiedAt });
  });

  test("moving carries the sizes along, and numbers a name that is taken", async () => {
    const [a, b] = [await folder("a"), await folder("b")];
    const inner = await folder("inner", a.id);
    const { entryId } = await file("x.txt", inner.id, 7);
    await file("x.txt", b.id, 1);
    expect(await move(b.id, inner.id)).toMatchObject([{ name: "inner" }]);
    expect([await sizeOf(a.id), await sizeOf(b.id), await sizeOf(inner.id), await sizeOf()]).toEqual([0, 8, 7, 8]);
    expect(await move(b.id, entryId)).toMatchObject([{ name: "x (2).txt" }]);
    expect([await sizeOf(b.id), await sizeOf(inner.id), await sizeOf()]).toEqual([8, 0, 8]);
  });

  test("a folder and what is in it, chosen together, go together and come back together", async () => {
    const [a, b] = [await folder("a"), await folder("b")];
    const { entryId } = await file("x.txt", a.id, 7);
    expect(await move(b.id, entryId, a.id)).toMatchObject([{ id: a.id }]);
    expect([await namesIn(b.id), await namesIn(a.id)]).toEqual([["a"], ["x.txt"]]);
    await trash(entryId, a.id);
    expect((await listTrash(database.pool, actor, { limit: 10 })).items).toMatchObject([{ id: a.id }]);
    await restore(a.id);
    expect([await namesIn(a.id), await sizeOf()]).toEqual([["x.txt"], 7]);
  });

  test("a file trashed before its folder finds its place again when both are restored, in whatever order", async () => {
    const a = await folder("a");
    const { entryId } = await file("x.txt", a.id, 7);
    await trash(entryId);
    await trash(a.id);
    await restore(entryId, a.id);
    expect([await namesIn(a.id), await sizeOf(a.id), await sizeOf()]).toEqual([["x.txt"], 7, 7]);
  });

  test("a folder goes neither into itself nor below itself, and the others of that request stay", async () => {
    const [a, other] = [await folder("a"), await folder("other")];
    const b = await folder("b", a.id);
    await expect(move(a.id, a.id)).rejects.toEqual(code("entry.cycle"));
    await expect(move(b.id, other.id, a.id)).rejects.toEqual(code("entry.cycle"));
    expect(await namesIn()).toEqual(["a", "other"]);
  });

  test("two folders moved into each other at once: one goes, no cycle", async () => {
    const [a, b] = [await folder("a"), await folder("b")];
    const results = await Promise.allSettled([move(b.id, a.id), move(a.id, b.id)]);
    expect(results.filter((result) => result.status === "fulfilled")).toHaveLength(1);
  });

  test("the root stays, and nothing goes into the trash or into a file by moving", async () => {
    const [a, b] = [await folder("a"), await folder("b")];
    const { entryId } = await file("x.txt");
    await trash(b.id);
    await expect(move(a.id, actor.rootId)).rejects.toEqual(code("entry.is_root"));
    await expect(renameEntry(database.pool, actor, { id: actor.rootId, name: "x" })).rejects.toEqual(code("entry.is_root"));
    await expect(trash(actor.rootId)).rejects.toEqual(code("entry.is_root"));
    await expect(move(b.id, a.id)).rejects.toEqual(code("entry.not_found"));
    await expect(move(entryId, a.id)).rejects.toEqual(code("entry.not_a_folder"));
  });
});

describe("the trash", () => {
  test("what is below a trashed folder cannot be reached through any door", async () => {
    const a = await folder("a");
    const b = await folder("b", a.id);
    const { entryId } = await file("x.txt", b.id);
    await trash(a.id);
    const doors = [
      findContent(actor, entryId, undefined),
      openFolder(database.pool, actor, b.id),
      listEntries(database.pool, actor, { parentId: b.id, sort: "name", direction: "asc", limit: 10 }),
      requireUploadParent(database.pool, actor, b.id),
      describeEntry(database.pool, actor, entryId, 3),
      renameEntry(database.pool, actor, { id: entryId, name: "y" }),
      move(actor.rootId, entryId),
      trash(entryId),
      restore(entryId),
      deleteForever(database.pool, actor, [entryId]),
      folder("c", b.id),
    ];
    expect(await failuresOf(doors)).toEqual(doors.map(() => code("entry.not_found")));
  });

  test("trashing and restoring carry the sizes; used bytes stay until it is emptied", async () => {
    const a = await folder("a");
    await file("x.txt", a.id, 7);
    await trash(a.id);
    expect([await sizeOf(), await usedBytes()]).toEqual([0, 7]);
    await restore(a.id);
    expect([await sizeOf(), await sizeOf(a.id), await usedBytes()]).toEqual([7, 7, 7]);
    await trash(a.id);
    await emptyTrash(database.pool, actor);
    expect([await sizeOf(), await usedBytes()]).toEqual([0, 0]);
    expect(await database.prisma.version.count({ where: { driveId: actor.driveId } })).toBe(0);
  });

  test("restored to its old place; to the root when that is in the trash or gone; with a number when the name is taken", async () => {
    const [a, b] = [await folder("a"), await folder("b")];
    const [inA, inB] = [await file("x.txt", a.id), await file("x.txt", b.id)];
    const atHome = await file("y.txt", a.id);
    await trash(atHome.entryId, inA.entryId, inB.entryId);
    await restore(atHome.entryId);
    expect(await namesIn(a.id)).toEqual(["y.txt"]);
    await trash(a.id, b.id);
    await deleteForever(database.pool, actor, [b.id]);
    expect(await restore(inA.entryId, inB.entryId)).toMatchObject([
      { name: "x.txt", parentId: actor.rootId, trashedAt: null },
      { name: "x (2).txt", parentId: actor.rootId, trashedAt: null },
    ]);
  });

  test("a file trashed by itself stays in the trash when its folder is deleted forever", async () => {
    const a = await folder("a");
    const { entryId } = await file("x.txt", a.id);
    await trash(entryId);
    await trash(a.id);
    await deleteForever(database.pool, actor, [a.id]);
    expect((await listTrash(database.pool, actor, { limit: 10 })).items).toMatchObject([{ id: entryId }]);
    await restore(entryId);
    expect(await namesIn()).toEqual(["x.txt"]);
  });

  test("only what is in the trash is deleted forever, all of a request or nothing", async () => {
    const [a, b] = [await folder("a"), await folder("b")];
    await trash(a.id);
    await expect(deleteForever(database.pool, actor, [a.id, b.id])).rejects.toEqual(code("entry.not_trashed"));
    expect((await listTrash(database.pool, actor, { limit: 10 })).items).toHaveLength(1);
  });

  describe("deleting a tree in many batches", () => {
    const SMALL: DeletionBatches = { deletedEntries: 3, listedEntries: 5 };

    /** Folders within folders, ten files in each; one of the files is in the trash by itself, another one is not in the trash. */
    async function trashedTree(): Promise<{ top: string; trashedAlone: string }> {
      const a = await folder("a");
      const b = await folder("b", a.id);
      const c = await folder("c", b.id);
      const files = [];
      for (const { id } of [a, b, c]) for (let number = 0; number < 10; number++) files.push(await file(`${number}.txt`, id, 7));
      const trashedAlone = files[15]!.entryId;
      await trash(trashedAlone);
      await trash(a.id);
      await file("kept.txt");
      return { top: a.id, trashedAlone };
    }

    /** `before` is called with the number of each connection that is asked for. */
    function poolWith(before: (connection: number) => Promise<void>): typeof database.pool {
      let connections = 0;
      const connect = async () => {
        await before(++connections);
        return await database.pool.connect();
      };
      return { query: database.pool.query.bind(database.pool), connect } as unknown as typeof database.pool;
    }

    /** Like a process that dies after its first few transactions. */
    const poolOf = (transactions: number) =>
      poolWith(async (connection) => {
        if (connection > transactions) throw new Error("killed");
      });

    test("a crash after any of them leaves a smaller tree with right sizes, and the same request deletes the rest", async () => {
      const { top, trashedAlone } = await trashedTree();
      const isThere = async () => (await database.prisma.entry.findUnique({ where: { id: top } })) !== null;
      let crashes = 0;
      for (; crashes < 100 && (await isThere()); crashes++) {
        await expect(deleteForever(poolOf(2), actor, [top], SMALL)).rejects.toThrow("killed"); // one lists, one deletes
        expect(await findDiscrepancies(database.pool)).toEqual([]);
      }
      expect(crashes).toBe(Math.ceil((3 + 29) / SMALL.deletedEntries));
      expect((await listTrash(database.pool, actor, { limit: 10 })).items).toMatchObject([{ id: trashedAlone }]);
      expect([await namesIn(), await usedBytes()]).toEqual([["kept.txt"], 17]);
    });

    /** Whoever asked is told to end at once: one batch. */
    const signal = AbortSignal.abort();

    test("it takes longer than a request may: each says what is left, and the last one nothing", async () => {
      const { top } = await trashedTree();
      let left = [top];
      let requests = 0;
      for (; left.length > 0; requests++) ({ left } = await deleteForever(database.pool, actor, left, { ...SMALL, signal }));
      expect(requests).toBe(Math.ceil((3 + 29) / SMALL.deletedEntries));
      expect([await namesIn(), await usedBytes()]).toEqual([["kept.txt"], 17]);
    });

    test("the trash is emptied in several requests: what is trashed meanwhile stays", async () => {
      await trashedTree();
      const first = await emptyTrash(database.pool, actor, { ...SMALL, signal });
      expect(first.isEmpty).toBe(false);
      await new Promise((resolve) => setTimeout(resolve, 5)); // by the database's clock it is later
      const late = await file("late.txt");
      await trash(late.entryId);
      for (let answer = first; !answer.isEmpty;)
        answer = await emptyTrash(database.pool, actor, { ...SMALL, signal, before: answer.before });
      expect((await listTrash(database.pool, actor, { limit: 10 })).items).toMatchObject([{ id: late.entryId }]);
      expect(await findDiscrepancies(database.pool)).toEqual([]);
    });

    test("what was trashed long ago goes by itself, in every drive; what was trashed lately stays, and so does what was restored", async () => {
      const old = await trashedTree();
      const [young, restored] = [await file("young.txt"), await file("restored.txt")];
      await trash(young.entryId, restored.entryId);
      await database.pool.query("UPDATE entry SET trashed_at = trashed_at - interval '40 days' WHERE trashed_at IS NOT NULL AND id <> $1", [
        young.entryId,
      ]);
      await restore(restored.entryId);
      const sweeper = createTrashSweeper({ pool: database.pool, logger: createLogger("test", "silent"), keepMs: 30 * DAY_MS });
      await sweeper.start(); // and its first pass
      await sweeper.stop();
      expect(sweeper.status().reason).toBe("");
      expect((await listTrash(database.pool, actor, { limit: 10 })).items).toMatchObject([{ id: young.entryId }]);
      expect(await namesIn()).toEqual(["kept.txt", "restored.txt"]);
      expect(await database.prisma.entry.findUnique({ where: { id: old.top } })).toBeNull();
      expect(await findDiscrepancies(database.pool)).toEqual([]);
    });

    test("restored in between: what is left of it is back, and stays", async () => {
      const { top } = await trashedTree();
      await expect(deleteForever(poolOf(3), actor, [top], SMALL)).rejects.toThrow("killed");
      await restore(top);
      const left = await sizeOf(top);
      await expect(deleteForever(database.pool, actor, [top], SMALL)).rejects.toEqual(code("entry.not_trashed"));
      expect(left).toBeLessThan(29 * 7);
      expect(await sizeOf(top)).toBe(left);
    });

    test("restored while it is being deleted: what was listed before and is no longer in the trash stays", async () => {
      const { top } = await trashedTree();
      const restoring = poolWith(async (connection) => {
        if (connection === 4) await restore(top); // after one that lists and two that delete
      });
      await deleteForever(restoring, actor, [top], { ...SMALL, listedEntries: 1_000 });
      expect(await sizeOf(top)).toBe((29 - 6) * 7);
    });
  });

  test("the extents of deleted files go, their chunks stay for the collector, finished uploads are forgotten, running ones are not", async () => {
    const a = await folder("a");
    const done = await file("done.txt", a.id);
    const { versionId } = await findContent(actor, done.entryId, undefined);
    const running = await receiveVersion(database.pool, actor);
    const chunkId = Buffer.alloc(32, 1);
    await database.pool.query("INSERT INTO chunk (id, length, replicas) VALUES ($1, 10, '{1,2}')", [chunkId]);
    for (const version of [versionId, running]) {
      await database.pool.query(`INSERT INTO extent (version_id, "offset", length, chunk_id) VALUES ($1, 0, 10, $2)`, [version, chunkId]);
      const expiresAt = new Date(Date.now() + 60_000);
      await database.prisma.upload.create({ data: { driveId: actor.driveId, versionId: version, parentId: a.id, expiresAt } });
    }
    await trash(a.id);
    await emptyTrash(database.pool, actor);
    expect(await database.prisma.extent.findMany()).toMatchObject([{ versionId: running }]);
    expect(await database.prisma.chunk.count()).toBe(1);
    expect(await upload(database.pool, actor, { versionId: running, parentId: a.id, name: "late.txt" })).toMatchObject({
      outcome: "created",
    });
    expect(await namesIn()).toEqual(["late.txt"]);
  });

  test("its list goes on from the last one seen", async () => {
    for (const name of ["1", "2", "3", "4", "5"]) await trash((await folder(name)).id);
    const first = await listTrash(database.pool, actor, { limit: 2 });
    const second = await listTrash(database.pool, actor, { limit: 3, cursor: first.nextCursor });
    expect([...first.items, ...second.items].map((entry) => entry.name)).toEqual(["5", "4", "3", "2", "1"]);
    expect(second.nextCursor).toBeUndefined();
    await expect(listTrash(database.pool, actor, { limit: 2, cursor: "nonsense" })).rejects.toEqual(code("cursor.invalid"));
  });
});

test("an upload learns beforehand which names are taken, in whatever spelling, by files, folders and not by the trash", async () => {
  await folder("notes");
  await file("Caf\u00e9.txt");
  const { entryId } = await file("gone.txt");
  await trash(entryId);
  const names = ["notes", "Cafe\u0301.txt", "gone.txt", "new.txt", "a\0b"];
  expect((await takenNames(database.pool, actor, { parentId: actor.rootId, names })).toSorted()).toEqual(["Caf\u00e9.txt", "notes"]);
});

describe("somebody else's", () => {
  test("entries do not exist: every operation says not found, and nothing changes", async () => {
    const a = await folder("a");
    const { entryId } = await file("x.txt", a.id);
    const binned = await folder("binned");
    await trash(binned.id);
    const { pool } = database;
    const stranger = await createActor(database);
    const own = await createFolder(pool, stranger, { parentId: stranger.rootId, name: "own" });
    const attempts = [
      openFolder(pool, stranger, a.id),
      listEntries(pool, stranger, { parentId: a.id, sort: "name", direction: "asc", limit: 10 }),
      createFolder(pool, stranger, { parentId: a.id, name: "b" }),
      renameEntry(pool, stranger, { id: a.id, name: "b" }),
      moveEntries(pool, stranger, { ids: [a.id], parentId: stranger.rootId }),
      moveEntries(pool, stranger, { ids: [own.id], parentId: a.id }),
      trashEntries(pool, stranger, [a.id]),
      restoreEntries(pool, stranger, [binned.id]),
      deleteForever(pool, stranger, [binned.id]),
      describeEntry(pool, stranger, entryId, 3),
      findContent(stranger, entryId, undefined),
      requireUploadParent(pool, stranger, a.id),
      openFolder(pool, stranger, "../../etc/passwd"),
    ];
    expect(await failuresOf(attempts)).toEqual(attempts.map(() => code("entry.not_found")));
    await emptyTrash(pool, stranger);
    expect((await listTrash(pool, stranger, { limit: 10 })).items).toEqual([]);
    expect((await listTrash(pool, actor, { limit: 10 })).items).toHaveLength(1);
  });

  test("version of one file is not content of another", async () => {
    const [a, b] = [await file("a"), await file("b")];
    const { versionId } = await findContent(actor, b.entryId, undefined);
    await expect(findContent(actor, a.entryId, versionId)).rejects.toEqual(code("entry.not_found"));
    await expect(findContent(actor, a.entryId, "x")).rejects.toEqual(code("entry.not_found"));
    await expect(findContent(actor, actor.rootId, undefined)).rejects.toEqual(code("entry.not_a_file"));
  });

  test("many ask at one moment: each is told about the file of his wish, or that there is none for him", async () => {
    const stranger = await createActor(database);
    const inner = await folder("inner", (await folder("outer")).id);
    const deep = await file("deep", inner.id);
    const [plain, binned] = [await file("plain"), await file("binned", actor.rootId, 20)];
    await trash(binned.entryId);
    const findTogether = createContentFinder(database.pool);
    const ask = (who: Actor, id: string) =>
      findTogether(who, id, undefined).then(
        ({ name }) => name,
        ({ code }: DriveError) => code,
      );
    const answers = (): Promise<string[]> =>
      Promise.all([
        ask(actor, deep.entryId),
        ask(stranger, deep.entryId),
        ask(actor, binned.entryId),
        ask(actor, inner.id),
        ask(actor, plain.entryId),
        ask(actor, deep.entryId),
      ]);

    const others = ["entry.not_found", "entry.not_found", "entry.not_a_file", "plain"];
    expect(await answers()).toEqual(["deep", ...others, "deep"]);
    await trash(inner.id);
    expect(await answers()).toEqual(["entry.not_found", ...others.with(2, "entry.not_found"), "entry.not_found"]);
  });
});

describe("details", () => {
  test("tell the copies on nodes that are not down, and all versions", async () => {
    const { pool } = database;
    await pool.query(
      `INSERT INTO node (id, identity, name, host, port, boot_id, health)
       SELECT n, gen_random_uuid(), 'n' || n, 'localhost', 7100 + n, gen_random_uuid(), CASE n WHEN 3 THEN 'down' WHEN 2 THEN 'suspect' ELSE 'up' END::node_health
       FROM generate_series(1, 3) n`,
    );
    const { entryId } = await file("a.txt");
    await upload(pool, actor, { name: "a.txt", conflict: "replace", sizeBytes: 30 });
    const { versionId } = await findContent(actor, entryId, undefined);
    const replicas = ["{1,2,3}", "{1,2,3}", "{1,3}"];
    for (const [index, nodes] of replicas.entries()) {
      await pool.query("INSERT INTO chunk (id, length, replicas) VALUES ($1, 10, $2)", [Buffer.alloc(32, 100 + index), nodes]);
      await pool.query(`INSERT INTO extent (version_id, "offset", length, chunk_id) VALUES ($1, $2, 10, $3)`, [
        versionId,
        index * 10,
        Buffer.alloc(32, 100 + index),
      ]);
    }
    const details = await describeEntry(pool, actor, entryId, 3);
    expect(details).toMatchObject({ name: "a.txt", sizeBytes: 30, copies: { wanted: 3, fewest: 1, byCopies: { "1": 1, "2": 2 } } });
    expect(details.path.map((step) => step.name)).toEqual(["My Drive", "a.txt"]);
    expect(details.versions.map(({ current, sizeBytes }) => ({ current, sizeBytes }))).toEqual([
      { current: true, sizeBytes: 30 },
      { current: false, sizeBytes: 10 },
    ]);
    expect((await describeEntry(pool, actor, actor.rootId, 3)).copies).toEqual({ wanted: 3, fewest: null, byCopies: {} });
    await pool.query("INSERT INTO cluster (id, replicas) VALUES (gen_random_uuid(), 2)"); // an operator wants fewer
    expect((await describeEntry(pool, actor, actor.rootId, 3)).copies.wanted).toBe(2);
    await pool.query("TRUNCATE cluster");
  });
});
