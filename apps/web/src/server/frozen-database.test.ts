import { randomBytes } from "node:crypto";
import { type Database, openDatabase } from "@holdfast/db";
import { startTestPostgres, type TestPostgres } from "@holdfast/db/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestDrive, type TestDrive } from "./testing/test-drive.ts";

const BYTES = randomBytes(5_000);
/** The Drive's own patience, made short; the answers come within it, and the time that this machine needs. */
const PATIENCE = { connectTimeoutMs: 500, statementTimeoutMs: 1_000 };
const SOON_MS = 20_000;

let server: TestPostgres;
let database: Database;
let drive: TestDrive;
let cookie: string;

beforeAll(async () => {
  server = await startTestPostgres();
  database = openDatabase(server.url, { connectionsMax: 5, ...PATIENCE, onError: () => undefined });
  drive = await startTestDrive(database);
  cookie = await drive.signUp("owner");
});
afterAll(async () => {
  server.thaw();
  await drive.stop();
  await database.close();
  await server.stop();
});

const ask = (
  path: string,
  { method = "GET", headers = {}, body }: { method?: string; headers?: Record<string, string>; body?: BodyInit } = {},
) => fetch(drive.url + path, { method, headers: { cookie, ...headers }, body, signal: AbortSignal.timeout(SOON_MS) });

const TUS = { "tus-resumable": "1.0.0", "content-type": "application/offset+octet-stream" };
const beginUpload = () =>
  ask("/api/upload", {
    method: "POST",
    headers: { ...TUS, "upload-length": String(BYTES.length), "upload-metadata": `filename ${btoa("hello.bin")}` },
  });
const send = (path: string) => ask(path, { method: "PATCH", headers: { ...TUS, "upload-offset": "0" }, body: BYTES });
const list = () => ask("/api/trpc/entries.trashed?input=%7B%22json%22%3A%7B%7D%7D");
const health = () => ask("/api/health");

test("a frozen database is a database that does not answer: 503 everywhere, nothing hangs, and thawed everything goes on", async () => {
  const upload = (await beginUpload()).headers.get("location")!;
  server.freeze();

  const askedAt = performance.now();
  const unhealthy = await health();
  expect([unhealthy.status, await unhealthy.json()]).toMatchObject([503, { reasons: ["The database does not answer."] }]);
  expect(performance.now() - askedAt).toBeLessThan(3_000);
  const inVain = [list(), list(), send(upload), beginUpload(), ask(upload, { method: "HEAD", headers: TUS }), health(), health(), health()];
  expect((await Promise.all(inVain)).map(({ status }) => status)).toEqual(inVain.map(() => 503));
  expect([database.pool.totalCount, database.pool.waitingCount]).toEqual([0, 0]);

  server.thaw();
  await expect.poll(async () => (await health()).status, { timeout: SOON_MS }).toBe(200);
  expect((await list()).status).toBe(200);
  const file = (await send(upload)).headers.get("holdfast-entry-id")!;
  const content = await ask(`/api/files/${file}/content`);
  expect(Buffer.from(await content.arrayBuffer()).equals(BYTES)).toBe(true);
}, 60_000);
