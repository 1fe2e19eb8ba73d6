import { randomBytes, randomUUID } from "node:crypto";
import { connect } from "node:net";
import { createLogger } from "@holdfast/core/kernel";
import { openDatabase } from "@holdfast/db";
import { createTestDatabase, type TestDatabase } from "@holdfast/db/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Preparation, prepare } from "./preparation.ts";
import { NOBODY, startTestDrive, type TestDrive } from "./testing/test-drive.ts";

const logger = createLogger("test", "silent");
const BYTES = randomBytes(5_000);

let database: TestDatabase;
let drive: TestDrive;
let owner: string;
let stranger: string;
let entryId: string;

beforeAll(async () => {
  database = await createTestDatabase();
  drive = await startTestDrive(database);
  owner = await drive.signUp("owner");
  stranger = await drive.signUp("stranger");
  const upload = await fetch(`${drive.url}/api/upload`, {
    method: "POST",
    headers: {
      cookie: owner,
      "tus-resumable": "1.0.0",
      "upload-length": String(BYTES.length),
      "upload-metadata": `filename ${btoa("hello.bin")}`,
      "content-type": "application/offset+octet-stream",
    },
    body: BYTES,
  });
  entryId = upload.headers.get("holdfast-entry-id")!;
});
afterAll(async () => {
  await drive.stop();
  await database.drop();
});

const ask = (path: string, { cookie = owner, ...init }: { cookie?: string; method?: string; headers?: Record<string, string> } = {}) =>
  fetch(`${drive.url}${path}`, { ...init, headers: { cookie, ...init.headers } });

/** A request exactly as written: a client library would tidy the path. */
async function askRaw(path: string, headers: Record<string, string> = {}): Promise<{ status: number; text: string }> {
  const socket = connect(drive.port, "127.0.0.1");
  const lines = Object.entries({ host: `127.0.0.1:${drive.port}`, connection: "close", ...headers }).map(
    ([name, value]) => `${name}: ${value}`,
  );
  socket.write(`GET ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
  const text = (await socket.toArray()).join("");
  return { status: Number(text.split(" ")[1]), text };
}

test("what was uploaded is downloaded, by its owner", async () => {
  const answer = await ask(`/api/files/${entryId}/content`);
  expect(answer.status).toBe(200);
  expect(Buffer.from(await answer.arrayBuffer()).equals(BYTES)).toBe(true);
});

test("another user's file is not there, whole, in part, by its head or in a version", async () => {
  const answers = await Promise.all([
    ask(`/api/files/${entryId}/content`, { cookie: stranger }),
    ask(`/api/files/${entryId}/content`, { cookie: stranger, headers: { range: "bytes=0-0" } }),
    ask(`/api/files/${entryId}/content`, { cookie: stranger, method: "HEAD" }),
    ask(`/api/files/${entryId}/content?version=${randomUUID()}`),
  ]);
  expect(answers.map((answer) => answer.status)).toEqual([404, 404, 404, 404]);
});

test.each([
  ["GET", () => `/api/files/${entryId}/content`],
  ["HEAD", () => `/api/files/${entryId}/content`],
  ["POST", () => "/api/upload"],
  ["PATCH", () => `/api/upload/${randomUUID()}`],
  ["HEAD", () => `/api/upload/${randomUUID()}`],
  ["DELETE", () => `/api/upload/${randomUUID()}`],
  ["GET", () => "/api/trpc/entries.trashed"],
])("%s %s without a session, or with a forged one, is refused", async (method, path) => {
  for (const cookie of ["", "better-auth.session_token=forged.forged", owner.slice(0, -4)]) {
    const answer = await ask(path(), { method, cookie });
    expect(answer.status, cookie).toBe(401);
  }
});

test.each([
  "/api",
  "/api/uploadx",
  "/api/upload/a/b",
  "/api/%75pload",
  "/api/files//content",
  "/api/files/x/content/",
  "/api/files/x/y/content",
  "/api/../metrics",
  "//api/health",
  "/api/nonsense",
])("%s is no other spelling of a route", async (path) => {
  const { status, text } = await askRaw(path, { cookie: owner });
  expect(status === 404 || text.endsWith("a page\r\n0\r\n\r\n") || text.endsWith("a page")).toBe(true);
});

test("pages are left to Next; the API answers in JSON even where there is nothing", async () => {
  expect(await (await ask("/folder/x")).text()).toBe("a page");
  const answer = await ask("/api/nothing");
  expect([answer.status, await answer.json()]).toMatchObject([404, { error: "request.not_found" }]);
});

test("a file's content can only be read", async () => {
  const answer = await ask(`/api/files/${entryId}/content`, { method: "DELETE" });
  expect([answer.status, answer.headers.get("allow")]).toEqual([405, "GET,HEAD"]);
});

test("a page of another site can change nothing in a user's name", async () => {
  for (const path of ["/api/upload", "/api/trpc/entries.emptyTrash", "/api/auth/sign-out"]) {
    const answer = await ask(path, { method: "POST", headers: { origin: "https://evil.example", "content-type": "text/plain" } });
    expect([answer.status, await answer.json()], path).toMatchObject([403, { error: "request.cross_site" }]);
  }
});

test("metrics are for this machine: not through a proxy, not under another name", async () => {
  const answer = await ask("/metrics");
  expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining("holdfast_download_sent_bytes_total")]);
  expect((await ask("/metrics", { headers: { "x-forwarded-for": "127.0.0.1" } })).status).toBe(404);
  expect((await askRaw("/metrics", { host: "drive.example" })).status).toBe(404);
});

test("health: ok once requests can be served, and no secret of the cluster in it", async () => {
  const answer = await ask("/api/health", { cookie: "" });
  expect([answer.status, await answer.json()]).toEqual([200, { status: "ok", nodes: { known: 3, up: 3 } }]);
});

test("health without a node says so", async () => {
  const lonely = await startTestDrive(database, { nodeCount: 0 });
  const answer = await fetch(`${lonely.url}/api/health`);
  expect(answer.status).toBe(503);
  expect(await answer.json()).toMatchObject({ status: "unavailable", reasons: ["No storage node has joined the cluster yet."] });
  await lonely.stop();
});

test("health when no node answers: nothing can be read or stored; with one left, something can be", async () => {
  const away = await startTestDrive(database);
  for (const node of away.nodes.all) node.snapshot = { ...node.snapshot, health: "down" };
  const health = () => fetch(`${away.url}/api/health`);
  expect(await (await health()).json()).toEqual({
    status: "unavailable",
    reasons: ["No storage node answers: files can be neither read nor stored."],
    nodes: { known: 3, up: 0 },
  });
  away.nodes.all[0]!.snapshot.health = "slow";
  expect((await health()).status).toBe(200);
  await away.stop();
});

test("the database is away: every route says 503 and when to retry, none says 404, 401 or nothing", async () => {
  const away = openDatabase("postgresql://nobody@127.0.0.1:1/none", { onError: () => undefined });
  const preparation: Preparation = { require: () => undefined, stop: async () => undefined }; // it was there at the start
  const gateway = await startTestDrive(away, { preparation });
  for (const [method, path] of [
    ["GET", `/api/files/${entryId}/content`],
    ["HEAD", `/api/upload/${randomUUID()}`],
    ["GET", "/api/trpc/entries.trashed?input=%7B%22json%22%3A%7B%7D%7D"],
    ["GET", "/api/auth/get-session"],
    ["GET", "/api/health"],
  ] as const) {
    const answer = await fetch(`${gateway.url}${path}`, { method, headers: { cookie: owner } });
    expect(answer.status, path).toBe(503);
  }
  const answer = await fetch(`${gateway.url}/api/files/${entryId}/content`, { headers: { cookie: owner } });
  expect([answer.headers.get("retry-after"), await answer.json()]).toMatchObject(["2", { error: "database.unavailable" }]);
  await gateway.stop();
  await away.close();
});

test("a database that is away at the start is waited for, and nobody is served before it was looked at", async () => {
  const away = openDatabase("postgresql://nobody@127.0.0.1:1/none", { onError: () => undefined });
  const gateway = await startTestDrive(away);
  const answer = await fetch(`${gateway.url}/api/upload`, { method: "POST" });
  expect([answer.status, await answer.json()]).toMatchObject([503, { error: "database.unavailable" }]);
  await gateway.stop();
  await away.close();
});

test("a database without the migrations is waited for; one that would lose files is refused at once", async () => {
  const empty = await createTestDatabase();
  await empty.pool.query(`DELETE FROM "_prisma_migrations"`);
  const waiting = await prepare({ database: empty, accounts: drive.accounts, owner: NOBODY, logger });
  expect(() => waiting.require()).toThrow("lacks migrations");
  await waiting.stop();
  await empty.drop();

  await database.pool.query(`ALTER DATABASE "${new URL(database.url).pathname.slice(1)}" SET synchronous_commit = off`);
  const careless = openDatabase(database.url, { onError: () => undefined });
  await expect(prepare({ database: careless, accounts: drive.accounts, owner: NOBODY, logger })).rejects.toThrow("synchronous_commit=off");
  await careless.close();
});
