import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import { createTestDatabase, type TestDatabase } from "@holdfast/db/testing";
import type pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { chunkIdOf, chunkIdToBytes } from "../chunking/index.ts";
import { createFolder } from "../drive/index.ts";
import { createLogger } from "../kernel/index.ts";
import { createChunkReplicator } from "../replication/index.ts";
import { createTestNodes } from "../testing/index.ts";
import {
  type Answer,
  CHUNK_BYTES,
  contentOf,
  create,
  createActor,
  type Gateway,
  metadata,
  OCTETS,
  offsetOf,
  open,
  patch,
  send,
  startGateway,
  storedBytes,
} from "./testing/gateway.ts";

let database: TestDatabase;
let gateway: Gateway;
let inTheWay: pg.PoolClient | undefined;
beforeAll(async () => (database = await createTestDatabase()));
afterAll(() => database.drop());
beforeEach(async () => {
  await database.pool.query("TRUNCATE chunk, extent, version, upload, entry, drive CASCADE");
  gateway = await startGateway(database);
});
afterEach(async () => {
  await letGo();
  await gateway.stop();
});

function post(bytes: Buffer, values: Record<string, string> = { filename: "file.bin" }): Promise<Answer> {
  return send("POST", gateway.url, { ...OCTETS, "upload-length": bytes.length, "upload-metadata": metadata(values) }, bytes);
}

/** Somebody else holds what the statement locks, until `letGo`. */
async function hold(lock: string, value: unknown): Promise<pg.PoolClient> {
  inTheWay = await database.pool.connect();
  await inTheWay.query("BEGIN");
  await inTheWay.query(lock, [value]);
  return inTheWay;
}

async function letGo(): Promise<void> {
  await inTheWay?.query("COMMIT");
  inTheWay?.release();
  inTheWay = undefined;
}

const holdDrive = () => hold("SELECT FROM drive WHERE id = $1 FOR NO KEY UPDATE", gateway.owner.driveId);
const rowsOf = async <Row extends pg.QueryResultRow>(text: string, values: unknown[] = []) =>
  (await database.pool.query<Row>(text, values)).rows;
const waitingForLocks = async () =>
  (await rowsOf("SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")).length;
const untilStored = (bytes: number) => vi.waitFor(() => expect(storedBytes(gateway.nodes)).toBe(bytes));
const untilOneWaits = () => vi.waitFor(async () => expect(await waitingForLocks()).toBe(1));
const contentOfAnswer = ({ headers }: Answer) => contentOf(database, gateway.nodes, String(headers["holdfast-entry-id"]));
const namesIn = async (folder: string) =>
  (
    await rowsOf<{ name: string }>(
      "SELECT file.name FROM entry file JOIN entry folder ON folder.id = file.parent_id WHERE folder.name = $1 ORDER BY file.name",
      [folder],
    )
  ).map(({ name }) => name);

interface Connected {
  connection: { stream: Socket };
}

/** Those that made the files. */
const transactions = () => rowsOf("SELECT DISTINCT xmin::text FROM version");
const makeFolder = (name: string, parentId = gateway.owner.rootId) => createFolder(database.pool, gateway.owner, { parentId, name });
const sizesOf = async (...ids: string[]) =>
  (
    await rowsOf<{ size: number }>(
      "SELECT size_bytes AS size FROM unnest($1::uuid[]) WITH ORDINALITY AS asked (id, place) JOIN entry USING (id) ORDER BY place",
      [ids],
    )
  ).map(({ size }) => size);

test("forty files come at once: one connection makes them, each is there under its name with its bytes, and the sums are right", async () => {
  await holdDrive();
  const files = Array.from({ length: 40 }, (_, index) => ({
    bytes: randomBytes(1_000 + index),
    name: `${String(index).padStart(2, "0")}.bin`,
  }));
  const answers = Promise.all(
    files.map(({ bytes, name }, index) => post(bytes, { filename: name, relativePath: index % 2 === 0 ? "even" : "odd/er" })),
  );
  const sumBytes = files.reduce((sum, { bytes }) => sum + bytes.length, 0);
  await untilStored(sumBytes);
  await untilOneWaits();
  await letGo();
  for (const [index, answer] of (await answers).entries()) {
    const { bytes } = files[index]!;
    expect(answer).toMatchObject({ status: 201, headers: { "upload-offset": String(bytes.length) } });
    expect((await contentOfAnswer(answer)).equals(bytes)).toBe(true);
    const head = await send("HEAD", gateway.address + answer.headers.location!);
    expect(head.headers).toMatchObject({
      "holdfast-entry-id": answer.headers["holdfast-entry-id"],
      "upload-offset": String(bytes.length),
      "upload-length": String(bytes.length),
    });
  }
  expect((await transactions()).length).toBeLessThan(4);
  expect(await namesIn("even")).toEqual(files.map(({ name }) => name).filter((_, index) => index % 2 === 0));
  expect(await namesIn("er")).toEqual(files.map(({ name }) => name).filter((_, index) => index % 2 === 1));
  expect(
    await rowsOf(
      `SELECT used_bytes AS "usedBytes", size_bytes AS "sizeBytes" FROM drive JOIN entry ON drive_id = drive.id AND parent_id IS NULL`,
    ),
  ).toEqual([{ usedBytes: sumBytes, sizeBytes: sumBytes }]);
});

test("forty files come at once for a folder that is there: the drive is locked for no longer than the database needs", async () => {
  const { id: parentId } = await makeFolder("here");
  await holdDrive();
  const answers = Promise.all(Array.from({ length: 40 }, (_, index) => post(randomBytes(100), { filename: `${index}.bin`, parentId })));
  await untilStored(4_000);
  await untilOneWaits();
  await letGo();
  expect(new Set((await answers).map(({ status }) => status))).toEqual(new Set([201]));
  expect((await transactions()).length).toBeLessThan(4);
  expect(await sizesOf(parentId, gateway.owner.rootId)).toEqual([4_000, 4_000]);
});

test("their folder is moved while they wait for the drive: the sizes are those of where it is now", async () => {
  const [from, to] = [await makeFolder("from"), await makeFolder("to")];
  const { id: parentId } = await makeFolder("moving", from.id);
  const mover = await holdDrive();
  const answers = Promise.all([1, 2, 3].map((index) => post(randomBytes(100), { filename: `${index}.bin`, parentId })));
  await untilStored(300);
  await untilOneWaits();
  await mover.query("UPDATE entry SET parent_id = $1 WHERE id = $2", [to.id, parentId]);
  await letGo();
  expect((await answers).map(({ status }) => status)).toEqual([201, 201, 201]);
  expect(await sizesOf(parentId, from.id, to.id)).toEqual([300, 0, 300]);
});

test("their folder goes to the trash while they wait for the drive: nothing is put into it", async () => {
  const { id: parentId } = await makeFolder("going");
  const trasher = await holdDrive();
  const answer = post(randomBytes(100), { filename: "late.bin", parentId });
  await untilStored(100);
  await untilOneWaits();
  await trasher.query("UPDATE entry SET trashed_at = now() WHERE id = $1", [parentId]);
  await letGo();
  expect(await answer).toMatchObject({ status: 404, body: { error: "entry.not_found" } });
  expect(await namesIn("going")).toEqual([]);
});

test("a folder is named by what is no id: 404, and those that come with it are made together all the same", async () => {
  await holdDrive();
  const others = Promise.all(Array.from({ length: 20 }, (_, index) => post(randomBytes(10), { filename: `${index}` })));
  const astray = await post(randomBytes(10), { filename: "astray", parentId: "../etc" });
  await untilStored(200);
  await letGo();
  expect(astray.status).toBe(404);
  expect(new Set((await others).map(({ status }) => status))).toEqual(new Set([201]));
  expect((await transactions()).length).toBeLessThan(4);
});

test("many of one name come at once: each gets a name of its own", async () => {
  await holdDrive();
  const contents = Array.from({ length: 5 }, () => randomBytes(100));
  const answers = Promise.all(contents.map((bytes) => post(bytes, { filename: "rush.txt", relativePath: "here" })));
  await untilStored(500);
  await letGo();
  for (const [index, answer] of (await answers).entries()) expect((await contentOfAnswer(answer)).equals(contents[index]!)).toBe(true);
  expect(await namesIn("here")).toEqual(["rush (2).txt", "rush (3).txt", "rush (4).txt", "rush (5).txt", "rush.txt"]);
});

test("the name is taken: what was asked for in that case is done", async () => {
  const [first, replacing, skipped] = [randomBytes(10), randomBytes(20), randomBytes(30)];
  const { headers } = await post(first);
  const entryId = headers["holdfast-entry-id"];
  for (const [bytes, conflict] of [
    [replacing, "replace"],
    [skipped, "skip"],
  ] as const) {
    const answer = await post(bytes, { filename: "file.bin", conflict });
    expect(answer).toMatchObject({ status: 201, headers: { "holdfast-entry-id": entryId } });
    expect((await contentOfAnswer(answer)).equals(replacing)).toBe(true);
  }
});

test("room for one of two that come at once: the other is refused, and nothing of it stays", async () => {
  await database.pool.query("UPDATE drive SET quota_bytes = 1500");
  await holdDrive();
  const answers = Promise.all([post(randomBytes(1_000), { filename: "a" }), post(randomBytes(1_000), { filename: "b" })]);
  await untilStored(2_000);
  await letGo();
  expect((await answers).map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 507]);
  expect(await rowsOf("SELECT FROM entry WHERE kind = 'file'")).toHaveLength(1);
  expect(await rowsOf("SELECT FROM upload UNION ALL SELECT FROM version")).toHaveLength(1);
});

test("no room for a file whose folders are not there either: neither it nor they are made", async () => {
  await database.pool.query("UPDATE drive SET quota_bytes = 10");
  expect((await post(randomBytes(100), { filename: "a.bin", relativePath: "deep/er/a.bin" })).status).toBe(507);
  expect(await rowsOf("SELECT FROM entry WHERE parent_id IS NOT NULL")).toEqual([]);
});

test("the connection breaks with the commit already sent: the file is there, and the client is told so", async () => {
  const bytes = randomBytes(1_000);
  await post(bytes, { filename: "first.bin" });
  const taken: pg.PoolClient[] = [];
  database.pool.on("acquire", (client) => taken.push(client));
  await hold("SELECT FROM chunk WHERE id = $1 FOR UPDATE", chunkIdToBytes(chunkIdOf(bytes)));
  const answer = post(bytes, { filename: "second.bin" });
  await untilOneWaits();
  const [waiting] = await rowsOf<{ pid: number }>(
    "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
  );
  const atWork = taken.find((client) => (client as unknown as { processID: number }).processID === waiting!.pid) as unknown as Connected;
  atWork.connection.stream.destroy();
  await letGo();
  expect((await contentOfAnswer(await answer)).equals(bytes)).toBe(true);
  expect(await rowsOf("SELECT name FROM entry WHERE kind = 'file' ORDER BY name")).toEqual([{ name: "first.bin" }, { name: "second.bin" }]);
});

describe.each([
  ["at once", async (bytes: Buffer) => gateway.address + (await post(bytes)).headers.location!],
  [
    "after its announcement",
    async (bytes: Buffer) => {
      const url = await create(gateway, bytes.length);
      await patch(url, 0, bytes);
      return url;
    },
  ],
])("a file came %s, and somebody asks after its upload", (_when, store) => {
  const bytes = randomBytes(1_000);
  let url: string;
  beforeEach(async () => (url = await store(bytes)));

  test("he is told what it was and what it has become, until it is forgotten", async () => {
    const [{ id }] = (await rowsOf<{ id: string }>("SELECT id FROM entry WHERE kind = 'file'")) as [{ id: string }];
    const head = await send("HEAD", url);
    expect(head).toMatchObject({
      status: 200,
      headers: {
        "upload-offset": "1000",
        "upload-length": "1000",
        "upload-metadata": metadata({ filename: "file.bin" }),
        "holdfast-entry-id": id,
      },
    });
    expect(head.headers["upload-expires"]).toBeUndefined();
    await database.pool.query("UPDATE upload SET expires_at = now() - interval '1 second'");
    await database.pool.query("UPDATE version SET created_at = created_at - interval '8 days'");
    await vi.waitFor(async () => expect((await send("HEAD", url)).status).toBe(404));
  });

  test("more of it is refused, and nothing more of it is not", async () => {
    expect((await patch(url, 1_000, Buffer.alloc(0))).status).toBe(204);
    expect((await patch(url, 1_000, randomBytes(10))).status).toBe(413);
    expect((await patch(url, 0, randomBytes(10))).status).toBe(409);
    expect(await offsetOf(url)).toBe(1_000);
  });

  test("it is ended: nobody knows of the upload any more, and the file stays", async () => {
    expect((await send("DELETE", url)).status).toBe(204);
    expect((await send("HEAD", url)).status).toBe(404);
    expect((await send("DELETE", url)).status).toBe(404);
    const [{ id }] = (await rowsOf<{ id: string }>("SELECT id FROM entry WHERE kind = 'file'")) as [{ id: string }];
    expect((await contentOf(database, gateway.nodes, id)).equals(bytes)).toBe(true);
  });
});

test("much was announced with a file that came whole: it is told as it came, and forgotten in time", async () => {
  const values = { filename: "file.bin", note: "x".repeat(1_000) };
  const answer = await post(randomBytes(100), values);
  expect(answer.status).toBe(201);
  expect((await send("HEAD", gateway.address + answer.headers.location!)).headers["upload-metadata"]).toBe(metadata(values));
  expect(await rowsOf("SELECT FROM upload")).toHaveLength(1);
  expect(await rowsOf("SELECT FROM version WHERE announced IS NOT NULL")).toEqual([]);
});

test("a file that came whole is somebody else's: he learns nothing of it by its upload", async () => {
  const stranger = await createActor(database);
  const shared = await startGateway(database, { nodes: gateway.nodes, owner: gateway.owner, people: [stranger] });
  const { headers } = await post(randomBytes(100));
  const url = shared.address + headers.location!;
  expect((await send("HEAD", url, { "x-actor": stranger.userId })).status).toBe(404);
  expect((await send("DELETE", url, { "x-actor": stranger.userId })).status).toBe(404);
  expect((await send("HEAD", url)).status).toBe(200);
  await shared.stop();
});

test("the folder is not there: 404, and nothing of the file stays", async () => {
  const answer = await post(randomBytes(10), { filename: "a", parentId: gateway.owner.driveId });
  expect([answer.status, answer.body.error]).toEqual([404, "entry.not_found"]);
  expect(await rowsOf("SELECT FROM upload UNION ALL SELECT FROM version")).toEqual([]);
});

test("a chunk that was known is condemned at this moment: the file does not rest on it but on copies made anew", async () => {
  const bytes = randomBytes(1_000);
  const id = chunkIdToBytes(chunkIdOf(bytes));
  await post(bytes);
  await database.pool.query("UPDATE entry SET current_version_id = NULL");
  await database.pool.query("DELETE FROM version");
  const collector = await hold("SELECT FROM chunk WHERE id = $1 FOR UPDATE", id);
  for (const { store } of gateway.nodes.all) store.chunks.clear();
  const answer = post(bytes, { filename: "again.bin" });
  await untilOneWaits();
  await collector.query("UPDATE chunk SET state = 'condemned', condemned_at = now(), replicas = '{}' WHERE id = $1", [id]);
  await letGo();
  expect((await contentOfAnswer(await answer)).equals(bytes)).toBe(true);
  expect(await rowsOf("SELECT state FROM chunk")).toEqual([{ state: "live" }]);
});

test("an order to trash the copies is carried out after they were made: the file waits for copies that are younger", async () => {
  const bytes = randomBytes(1_000);
  const id = chunkIdOf(bytes);
  await holdDrive();
  const answer = post(bytes);
  await vi.waitFor(() => expect(gateway.nodes.all.filter(({ store }) => store.chunks.has(id))).toHaveLength(3));
  await untilOneWaits();
  for (const { store } of gateway.nodes.all) store.chunks.clear();
  await database.pool.query(
    "INSERT INTO chunk (id, length, replicas, state, condemned_at, trashing_until) VALUES ($1, 1000, '{}', 'condemned', now(), clock_timestamp())",
    [chunkIdToBytes(id)],
  );
  await letGo();
  expect((await contentOfAnswer(await answer)).equals(bytes)).toBe(true);
});

test.each([
  ["comes a moment after the others: the chunk's row knows of it from the start", 10_000, 3],
  ["does not come: the file does not wait for it", 1, 2],
])("the last copy %s", async (_name, lastCopyMs, copies) => {
  const nodes = createTestNodes(3);
  const logger = createLogger("test", "silent");
  const replicator = createChunkReplicator({ ...nodes, replicas: 3, writeQuorum: 2, patienceMs: 10_000, logger });
  const patient = await startGateway(database, { nodes, replicator, lastCopyMs, owner: gateway.owner });
  const last = nodes.all[2]!;
  last.fault = "hanging";
  const body = randomBytes(100);
  const answer = send("POST", patient.url, { ...OCTETS, "upload-length": 100, "upload-metadata": metadata({ filename: "a" }) }, body);
  await vi.waitFor(() => expect(nodes.all.filter(({ store }) => store.chunks.size === 1)).toHaveLength(2));
  if (copies === 3) last.fault = "none";
  expect((await answer).status).toBe(201);
  expect(await rowsOf("SELECT cardinality(replicas) AS copies FROM chunk JOIN version ON version.xmin = chunk.xmin")).toEqual([{ copies }]);
  last.fault = "none";
  await patient.stop();
});

test("the client vanishes in the middle: what came is kept, as of any upload", async () => {
  const bytes = randomBytes(1_000);
  const { req } = open("POST", gateway.url, {
    ...OCTETS,
    "content-length": 1_000,
    "upload-length": 1_000,
    "upload-metadata": metadata({ filename: "a" }),
  });
  await new Promise((resolve) => req.write(bytes.subarray(0, 600), resolve));
  req.destroy();
  await vi.waitFor(async () => expect(await rowsOf(`SELECT "offset", state FROM upload`)).toEqual([{ offset: 600, state: "receiving" }]));
  const [upload] = await rowsOf<{ id: string }>("SELECT id FROM upload");
  expect(await offsetOf(`${gateway.url}/${upload!.id}`)).toBe(600);
});

test("too few nodes are there: 503, and nothing of the file stays", async () => {
  for (const node of gateway.nodes.all.slice(1)) node.fault = "unreachable";
  const answer = await post(randomBytes(CHUNK_BYTES));
  expect(answer.status).toBe(503);
  expect(await rowsOf("SELECT FROM upload UNION ALL SELECT FROM version")).toEqual([]);
});
