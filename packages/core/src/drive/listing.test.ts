import { createTestDatabase, type TestDatabase } from "@holdfast/db/testing";
import type { QueryConfig } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createActor, upload } from "./testing/drives.ts";
import { type Actor, createFolder, type EntrySort, listEntries, type ListingRequest, type SortDirection } from "./index.ts";

let database: TestDatabase;
let actor: Actor;
beforeAll(async () => {
  database = await createTestDatabase();
  actor = await createActor(database);
});
afterAll(() => database.drop());

const list = (request: Partial<ListingRequest>) =>
  listEntries(database.pool, actor, { parentId: actor.rootId, sort: "name", direction: "asc", limit: 1000, ...request });

async function readAll(request: Partial<ListingRequest>): Promise<string[]> {
  const names: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await list({ ...request, cursor });
    names.push(...page.items.map((entry) => entry.name));
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return names;
}

async function newFolder(name: string): Promise<string> {
  return (await createFolder(database.pool, actor, { parentId: actor.rootId, name })).id;
}

describe("pages", () => {
  const SIZES = [5, 3, 3, 1, 4];
  let parentId: string;
  beforeAll(async () => {
    parentId = await newFolder("pages");
    for (const [index, sizeBytes] of SIZES.entries())
      await upload(database.pool, actor, { parentId, name: `file ${index + 8}`, sizeBytes });
    for (const name of ["b", "A", "c"]) await createFolder(database.pool, actor, { parentId, name });
  });

  const orders: [EntrySort, SortDirection, string[]][] = [
    ["name", "asc", ["A", "b", "c", "file 8", "file 9", "file 10", "file 11", "file 12"]],
    ["name", "desc", ["c", "b", "A", "file 12", "file 11", "file 10", "file 9", "file 8"]],
    ["size", "asc", ["b", "A", "c", "file 11", "file 9", "file 10", "file 12", "file 8"]],
    ["size", "desc", ["c", "A", "b", "file 8", "file 12", "file 10", "file 9", "file 11"]],
    ["modified", "asc", ["b", "A", "c", "file 8", "file 9", "file 10", "file 11", "file 12"]],
    ["modified", "desc", ["c", "A", "b", "file 12", "file 11", "file 10", "file 9", "file 8"]],
  ];
  test.each(orders)("by %s, %s: folders first, numbers as numbers, the same in pages of any length", async (sort, direction, names) => {
    for (const limit of [1, 2, 3, 5, 8, 100]) expect(await readAll({ parentId, sort, direction, limit })).toEqual(names);
  });

  test("an entry that comes or goes while somebody pages is never shown twice and hides nobody", async () => {
    const folder = await newFolder("moving");
    for (const name of ["b", "d", "f"]) await upload(database.pool, actor, { parentId: folder, name });
    const first = await list({ parentId: folder, limit: 2 });
    await upload(database.pool, actor, { parentId: folder, name: "a" });
    await upload(database.pool, actor, { parentId: folder, name: "e" });
    await database.pool.query("UPDATE entry SET trashed_at = now() WHERE parent_id = $1 AND name = 'd'", [folder]);
    const second = await list({ parentId: folder, limit: 2, cursor: first.nextCursor });
    expect([...first.items, ...second.items].map((entry) => entry.name)).toEqual(["b", "d", "e", "f"]);
  });

  test("a cursor of another order, a forged and a broken one are refused", async () => {
    const { nextCursor } = await list({ parentId, limit: 1 });
    const forged = (place: object) => Buffer.from(JSON.stringify(place)).toString("base64url");
    const id = "00000000-0000-4000-8000-000000000000";
    const place = { sort: "name", direction: "asc", kind: "file", id, value: "a" };
    const refused: Partial<ListingRequest>[] = [
      { cursor: nextCursor, sort: "size" },
      { cursor: nextCursor, direction: "desc" },
      { cursor: "" },
      { cursor: "%%%" },
      { cursor: forged({ ...place, id: "1; DROP TABLE entry" }) },
      { cursor: forged({ ...place, value: "a\0" }) },
      { cursor: forged({ ...place, more: 1 }) },
      { sort: "size", cursor: forged({ ...place, sort: "size", value: "ten" }) },
      { sort: "modified", cursor: forged({ ...place, sort: "modified", value: "soon" }) },
    ];
    for (const request of refused) {
      await expect(list({ parentId, ...request })).rejects.toEqual(expect.objectContaining({ code: "cursor.invalid" }));
    }
  });
});

async function fill(parentId: string): Promise<void> {
  await database.pool.query(
    `INSERT INTO entry (id, drive_id, parent_id, kind, name, size_bytes, modified_at)
     SELECT gen_random_uuid(), $1, $2, CASE WHEN n % 20 = 0 THEN 'folder' ELSE 'file' END::entry_kind, 'entry ' || n, (n::bigint * 7919) % 1000003,
            now() - (n::bigint * 104729 % 86400) * interval '1 second'
     FROM generate_series(1, 100000) n`,
    [actor.driveId, parentId],
  );
}

async function fillManySmallFolders(): Promise<void> {
  await database.pool.query(
    `WITH folder AS (
       INSERT INTO entry (id, drive_id, parent_id, kind, name)
       SELECT gen_random_uuid(), $1, $2, 'folder', 'small ' || n FROM generate_series(1, 2000) n RETURNING id
     )
     INSERT INTO entry (id, drive_id, parent_id, kind, name) SELECT gen_random_uuid(), $1, folder.id, 'file', 'file ' || n FROM folder, generate_series(1, 10) n`,
    [actor.driveId, actor.rootId],
  );
}

const analyze = () => database.pool.query("ANALYZE entry");

const LARGE_FOLDERS: [string, (parentId: string) => Promise<unknown>][] = [
  ["a folder of 100,000 entries", (parentId) => fill(parentId).then(analyze)],
  [
    "a folder that the database believes to be as small as the others",
    (parentId) =>
      fillManySmallFolders()
        .then(analyze)
        .then(() => fill(parentId)),
  ],
];
describe.each(LARGE_FOLDERS)("%s", (name, fillFolder) => {
  let parentId: string;
  beforeAll(async () => {
    parentId = await newFolder(name);
    await fillFolder(parentId);
  });

  interface PlanNode {
    "Node Type": string;
    "Index Name"?: string;
    "Actual Rows": number;
    "Rows Removed by Filter"?: number;
    Plans?: PlanNode[];
  }

  /** The statements that one call makes, each explained as it was sent. */
  async function explain(request: Partial<ListingRequest>): Promise<PlanNode[]> {
    const statements: [string, unknown[]][] = [];
    const recording = {
      query: (query: string | QueryConfig<unknown[]>, values?: unknown[]) => {
        if (typeof query === "string") statements.push([query, values!]); // the way to the folder has a name, and is not its content
        return database.pool.query(query as string, values);
      },
    };
    await listEntries(recording as typeof database.pool, actor, { parentId, sort: "name", direction: "asc", limit: 1000, ...request });
    const plans = await Promise.all(
      statements.map(([text, values]) => database.pool.query(`EXPLAIN (ANALYZE, FORMAT JSON) ${text}`, values)),
    );
    const flatten = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(flatten)];
    return plans.flatMap(({ rows }) => flatten(rows[0]["QUERY PLAN"][0].Plan as PlanNode));
  }

  const indexes: Record<EntrySort, string> = {
    name: "entry_parent_id_kind_name_id_idx",
    modified: "entry_parent_id_kind_modified_at_id_idx",
    size: "entry_parent_id_kind_size_bytes_id_idx",
  };

  const sorts: [EntrySort, SortDirection][] = [
    ["name", "asc"],
    ["name", "desc"],
    ["modified", "asc"],
    ["modified", "desc"],
    ["size", "asc"],
    ["size", "desc"],
  ];

  /** Of a place in the midst of the folder. */
  function midstOf(sort: EntrySort, direction: SortDirection): string {
    const value = { name: "entry 50000", modified: new Date(Date.now() - 43_200_000).toISOString(), size: 500_000 }[sort];
    const place = { sort, direction, kind: "file", id: "80000000-0000-4000-8000-000000000000", value };
    return Buffer.from(JSON.stringify(place)).toString("base64url");
  }

  test.each(sorts)(
    "by %s, %s: the first thousand and a thousand in its midst are one run of the index, without a sort",
    async (sort, direction) => {
      for (const cursor of [undefined, midstOf(sort, direction)]) {
        const nodes = await explain({ sort, direction, cursor });
        expect(new Set(nodes.map((node) => node["Node Type"]))).toEqual(new Set(["Limit", "Result", "Index Scan"]));
        const scans = nodes.filter((node) => node["Node Type"] === "Index Scan");
        expect(new Set(scans.map((node) => node["Index Name"]))).toEqual(new Set([indexes[sort]]));
        // What is read is what is shown, and the one row that tells whether a page follows.
        expect(scans.reduce((sum, node) => sum + node["Actual Rows"] + (node["Rows Removed by Filter"] ?? 0), 0)).toBe(1001);
      }
    },
  );
});
