import { randomBytes, randomUUID } from "node:crypto";
import { inTransaction } from "@holdfast/db";
import { createTestDatabase, type TestDatabase } from "@holdfast/db/testing";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type ChunkId, chunkIdOf, chunkIdToBytes } from "../chunking/index.ts";
import { ensureDrive, placeVersion } from "../drive/index.ts";
import { createStoredCluster, type StoredCluster } from "../testing/index.ts";
import { askForInventory, checkConsistency, describeConsistency, exitCodeOf } from "./index.ts";

let database: TestDatabase;
let cluster: StoredCluster;
let chunks: ChunkId[];
beforeAll(async () => (database = await createTestDatabase()));
afterAll(() => database.drop());
beforeEach(async () => {
  cluster = await createStoredCluster(database);
  chunks = [await cluster.keep({ referred: false }), await cluster.keep({ referred: false })];
  await placeFile();
});
afterEach(() => cluster.stop());

const sql = (text: string, values: unknown[] = []) => database.pool.query<{ id: string }>(text, values);
const check = () => checkConsistency({ pool: database.pool, clients: cluster.nodes.clients });

/** A file in a folder, of both chunks. */
async function placeFile(): Promise<void> {
  const { driveId, rootId } = await ensureDrive(database.pool, "person");
  const versionId = randomUUID();
  await sql("INSERT INTO version (id, drive_id) VALUES ($1, $2)", [versionId, driveId]);
  for (const [index, id] of chunks.entries()) {
    await sql(`INSERT INTO extent (version_id, "offset", length, chunk_id) VALUES ($1, $2, 1000, $3)`, [
      versionId,
      index * 1_000,
      chunkIdToBytes(id),
    ]);
  }
  const place = { driveId, parentId: rootId, relativePath: "folder/file.bin", name: "file.bin", mediaType: "", sizeBytes: 2_000 };
  await inTransaction(database.pool, (tx) => placeVersion(tx, { ...place, versionId, conflict: "keep-both" }));
}

test("a sound cluster is clean, and says what was looked at", async () => {
  const consistency = await check();
  expect(consistency).toEqual({ findings: [], counts: {}, unchecked: [], checked: { chunks: 2, versions: 1, copies: 6, nodes: 3 } });
  expect(exitCodeOf(consistency)).toBe(0);
  expect(describeConsistency(consistency)).toEqual([
    "Looked at 1 versions, 2 chunks and 6 copies on 3 nodes.",
    "Everything is as it should be.",
  ]);
});

describe("nodes and rows", () => {
  test("a copy vanished, and of another chunk all", async () => {
    cluster.node(1).store.chunks.delete(chunks[0]!);
    for (const node of cluster.nodes.all) node.store.chunks.delete(chunks[1]!);
    const { counts, findings } = await check();
    expect(counts).toEqual({ "copy.missing": 4, "chunk.lost": 1 });
    expect(findings).toContainEqual({ kind: "copy.missing", subject: chunks[0], message: "should be on node-1 and is not", nodeId: 1 });
    expect(findings.find(({ kind }) => kind === "chunk.lost")?.subject).toBe(chunks[1]);
  });

  test("a node is away: what could not be asked is said, nothing is called lost, and nothing clean", async () => {
    cluster.node(3).fault = "unreachable";
    for (const nodeId of [1, 2]) cluster.node(nodeId).store.chunks.delete(chunks[1]!);
    const consistency = await check();
    expect(consistency.counts).toEqual({ "copy.missing": 2 });
    expect(consistency.unchecked).toEqual([expect.stringContaining("node-3 could not be asked")]);
    for (const nodeId of [1, 2])
      await sql("UPDATE chunk SET replicas = array_remove(replicas, $1::smallint) WHERE id = $2", [nodeId, chunkIdToBytes(chunks[1]!)]);
    expect(exitCodeOf(await check())).toBe(2);
  });

  test("a copy that no row names, a chunk that nobody knows, and garbage that waits for its grace", async () => {
    const [unlisted, stray] = [randomBytes(10), randomBytes(20)];
    await cluster.keep({ bytes: unlisted, replicas: [2, 3], on: [1, 2, 3] });
    await cluster.node(2).store.put(chunkIdOf(stray), stray);
    await cluster.keep({ referred: false });
    await sql("DELETE FROM version WHERE state = 'receiving'");
    await sql("UPDATE chunk SET state = 'condemned' WHERE id NOT IN (SELECT chunk_id FROM extent) AND replicas = '{1,2,3}'");
    const { counts, findings } = await check();
    expect(counts).toEqual({ "copy.unlisted": 1, "chunk.orphan": 1 });
    expect(findings.map(({ subject }) => subject).toSorted()).toEqual([chunkIdOf(unlisted), chunkIdOf(stray)].toSorted());
  });

  test("asked to repair, it has the nodes concerned compared by the controller, and changes nothing itself", async () => {
    await sql("UPDATE node SET inventoried_at = now()");
    cluster.node(2).store.chunks.delete(chunks[0]!);
    expect(await askForInventory(database.pool, await check())).toEqual(["node-2"]);
    const { rows } = await sql("SELECT id FROM node WHERE inventoried_at IS NULL");
    expect(rows).toEqual([{ id: 2 }]);
    expect((await cluster.row(chunks[0]!))?.replicas).toEqual([1, 2, 3]);
  });
});

describe("the database by itself", () => {
  test.each([
    ["an extent is gone", `DELETE FROM extent WHERE "offset" = 1000`, ["version.extents"]],
    ["an extent is in the wrong place", `UPDATE extent SET "offset" = 1001 WHERE "offset" = 1000`, ["version.extents"]],
    ["an extent goes beyond its chunk", "UPDATE chunk SET length = 999", ["chunk.row", "chunk.row"]],
    ["a version needs a condemned chunk", "UPDATE chunk SET state = 'condemned'", ["chunk.row", "chunk.row"]],
    ["a row names a node twice", "UPDATE chunk SET replicas = '{1,1,2}'", ["chunk.row", "chunk.row"]],
    ["a drive's sum is wrong", "UPDATE drive SET used_bytes = 7", ["drive.used_bytes"]],
    ["a folder's sum is wrong", "UPDATE entry SET size_bytes = 7 WHERE name = 'folder'", ["entry.size", "entry.size"]],
    ["a file's size is not its version's", "UPDATE entry SET size_bytes = 7 WHERE kind = 'file'", ["entry.size", "entry.size"]],
    ["a version belongs to nobody", "INSERT INTO version (id, drive_id) SELECT gen_random_uuid(), id FROM drive", ["version.dangling"]],
    [
      "an upload counts bytes it does not have",
      `WITH v AS (INSERT INTO version (id, drive_id) SELECT gen_random_uuid(), id FROM drive RETURNING id, drive_id)
       INSERT INTO upload (id, drive_id, version_id, "offset", expires_at) SELECT gen_random_uuid(), drive_id, id, 5, now() FROM v`,
      ["upload.offset"],
    ],
  ])("%s", async (_what, change, kinds) => {
    await sql(change);
    const { findings } = await check();
    expect(findings.map(({ kind }) => kind).filter((kind) => kind !== "copy.missing" && kind !== "copy.unlisted")).toEqual(kinds);
    expect(exitCodeOf({ findings, unchecked: [] })).toBe(1);
  });
});

test("findings without end: the first are told, all are counted", () => {
  const findings = [{ kind: "copy.missing" as const, subject: "aa", message: "should be on node-1 and is not" }];
  const lines = describeConsistency({
    findings,
    counts: { "copy.missing": 5 },
    unchecked: [],
    checked: { chunks: 0, copies: 0, versions: 0, nodes: 1 },
  });
  expect(lines).toEqual([
    "copy.missing  aa should be on node-1 and is not",
    "copy.missing  and 4 more",
    "Looked at 0 versions, 0 chunks and 0 copies on 1 nodes.",
    "5 things are not as they should be.",
  ]);
});
