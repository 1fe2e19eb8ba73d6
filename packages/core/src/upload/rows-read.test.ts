import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { inTransaction, openDatabase } from "@holdfast/db";
import { createTestDatabase, type TestDatabase } from "@holdfast/db/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import { CHUNK_BYTES, create, type Gateway, metadata, OCTETS, patch, send, startGateway } from "./testing/gateway.ts";

const ROWS = 5_000;
/** What a few uploads look at, one row at a time. Whoever reads a table, or a folder, reads it ten times over. */
const ROWS_READ_MAX = 500;
const TABLES = ["chunk", "extent", "version", "upload", "entry"];

let database: TestDatabase;
let gateway: Gateway;
let oneConnection: ReturnType<typeof openDatabase>;

beforeEach(async () => {
  database = await createTestDatabase();
  for (const table of TABLES) await database.pool.query(`ALTER TABLE ${table} SET (autovacuum_enabled = false)`);
});
afterEach(async () => {
  await gateway.stop();
  await oneConnection.close();
  await database.drop();
});

/** One connection, so that it has planned everything before the tables grow, and can be told to say what it has read. */
async function start(): Promise<void> {
  oneConnection = openDatabase(database.url, { connectionsMax: 1, keyedOnly: true, onError: () => undefined });
  gateway = await startGateway(database, { database: oneConnection, sweepIntervalMs: 20 });
}

/** One after the other: a small file, the same bytes again, one that is there already, a large file, a concatenation; and the sweeper runs. */
async function uploadAll(): Promise<void> {
  const small = randomBytes(1_000);
  for (const filename of ["a", "b", "a"]) await post(small, filename);
  const large = randomBytes(CHUNK_BYTES * 3);
  expect((await patch(await create(gateway, large.length), 0, large)).status).toBe(204);
  const part = await create(gateway, 1_000, { "upload-concat": "partial" });
  await patch(part, 0, randomBytes(1_000));
  const concat = { "upload-concat": `final;${part}`, "upload-metadata": metadata({ filename: "whole" }) };
  expect((await send("POST", gateway.url, concat)).status).toBe(201);
  await delay(100);
}

async function post(bytes: Buffer, filename: string): Promise<void> {
  const headers = { ...OCTETS, "upload-length": bytes.length, "upload-metadata": metadata({ filename }) };
  expect((await send("POST", gateway.url, headers, bytes)).status).toBe(201);
}

/** Committed files as small uploads leave them, in one folder or in one each. */
async function addFiles(folders: "one" | "many"): Promise<void> {
  const insert = `
     WITH file AS MATERIALIZED (
       SELECT n, gen_random_uuid() AS entry_id, gen_random_uuid() AS version_id, gen_random_uuid() AS folder_id,
              sha256(gen_random_uuid()::text::bytea) AS chunk_id FROM generate_series(1, $3::int) n
     ), made AS (
       INSERT INTO entry (id, drive_id, parent_id, kind, name) SELECT folder_id, $1, $2, 'folder', 'folder ' || folder_id FROM file WHERE $4
     ), placed AS (
       INSERT INTO entry (id, drive_id, parent_id, kind, name, current_version_id)
       SELECT entry_id, $1, CASE WHEN $4 THEN folder_id ELSE $2 END, 'file', 'file ' || entry_id, version_id FROM file
     ), written AS (
       INSERT INTO version (id, drive_id, entry_id, state, size_bytes) SELECT version_id, $1, entry_id, 'committed', 0 FROM file
     ), stored AS (
       INSERT INTO chunk (id, length, replicas) SELECT chunk_id, 1, '{1,2,3}' FROM file
     ), appended AS (
       INSERT INTO extent (version_id, "offset", length, chunk_id) SELECT version_id, 0, 1, chunk_id FROM file
     )
     INSERT INTO upload (id, drive_id, version_id, state, length, "offset", entry_id, expires_at)
     SELECT gen_random_uuid(), $1, version_id, 'committed', 1, 1, entry_id, now() + interval '1 day' FROM file`;
  await inTransaction(database.pool, async (tx) => {
    await tx.query("SELECT pg_stat_force_next_flush()"); // or what this reads would be told later, in the midst of what is counted
    await tx.query(insert, [gateway.owner.driveId, gateway.owner.rootId, ROWS, folders === "many"]);
  });
}

/** By the one connection, of each table or index as it is asked for. */
async function rowsRead(): Promise<Record<string, number>> {
  await oneConnection.pool.query("SELECT pg_stat_force_next_flush()");
  const { rows } = await database.pool.query<{ name: string; read: number }>(
    `SELECT relname AS name, seq_tup_read AS read FROM pg_stat_user_tables WHERE relname = ANY ($1)
     UNION ALL SELECT indexrelname, idx_tup_read FROM pg_stat_user_indexes WHERE relname = ANY ($1)`,
    [TABLES],
  );
  return Object.fromEntries(rows.map(({ name, read }) => [name, read]));
}

async function readsMuch(work: () => Promise<void>): Promise<string[]> {
  const before = await rowsRead();
  await work();
  const after = await rowsRead();
  const much = Object.entries(after).filter(([name, read]) => read - (before[name] ?? 0) > ROWS_READ_MAX);
  return much.map(([name, read]) => `${name}: ${read - (before[name] ?? 0)}`);
}

test("a new database is filled before anybody has counted its rows: an upload reads its own and no others", async () => {
  await start();
  await addFiles("one");
  expect(await readsMuch(uploadAll)).toEqual([]);
});

test("it was counted when nothing was in it, and filled by gateways that had planned for that", async () => {
  await database.pool.query(`ANALYZE ${TABLES.join(", ")}`);
  await start();
  for (let time = 0; time < 7; time++) await uploadAll(); // from the sixth time on, a plan is kept
  await addFiles("one");
  expect(await readsMuch(uploadAll)).toEqual([]);
});

test("it was counted when every folder had one file: a folder of thousands is not read for one name", async () => {
  await start();
  await addFiles("many");
  await database.pool.query(`ANALYZE ${TABLES.join(", ")}`);
  for (let time = 0; time < 7; time++) await uploadAll();
  await addFiles("one");
  expect(await readsMuch(uploadAll)).toEqual([]);
});

test("it was counted well: an upload still reads its own rows and no others", async () => {
  await start();
  await addFiles("many");
  await addFiles("one");
  await database.pool.query(`ANALYZE ${TABLES.join(", ")}`);
  expect(await readsMuch(uploadAll)).toEqual([]);
});
