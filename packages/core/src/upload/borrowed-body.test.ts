import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { createTestDatabase, type TestDatabase } from "@holdfast/db/testing";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { limits } from "../kernel/index.ts";
import { CHUNK_BYTES, contentOf, create, type Gateway, OCTETS, open, patch, send, startGateway } from "./testing/gateway.ts";

const PERSISTENT = { connection: "keep-alive" };

let database: TestDatabase;
let gateway: Gateway;
beforeAll(async () => void (database = await createTestDatabase()));
afterEach(() => gateway.stop());
afterAll(() => database.drop());

/** Without asking the gateway, for which an upload under way would be interrupted. */
async function committed(url: string): Promise<number> {
  const { rows } = await database.pool.query<{ offset: number }>(`SELECT "offset" FROM upload WHERE id = $1`, [url.split("/").at(-1)]);
  return rows[0]!.offset;
}

test("a large body is read past HTTP: each byte is in the file, and its connection takes no request after it", async () => {
  gateway = await startGateway(database);
  const bytes = randomBytes(limits.uploadBorrowBytesMin + 3 * CHUNK_BYTES + 5);
  const url = await create(gateway, bytes.length);
  const { status, headers } = await patch(url, 0, bytes, PERSISTENT);
  expect({ status, connection: headers.connection }).toEqual({ status: 204, connection: "close" });
  expect((await contentOf(database, gateway.nodes, String(headers["holdfast-entry-id"]))).equals(bytes)).toBe(true);
});

test("chunks far smaller than what HTTP reads at once: nothing of a piece is lost where the reading changes", async () => {
  gateway = await startGateway(database, { borrowBytesMin: 0, chunkBytes: 3_000 });
  const bytes = randomBytes(300_000);
  const url = await create(gateway, bytes.length);
  const { headers } = await patch(url, 0, bytes);
  expect((await contentOf(database, gateway.nodes, String(headers["holdfast-entry-id"]))).equals(bytes)).toBe(true);
});

test("the gateway stops in the middle of a body: its client is told how far it came", async () => {
  gateway = await startGateway(database, { borrowBytesMin: 0 });
  const bytes = randomBytes(40 * CHUNK_BYTES);
  const url = await create(gateway, bytes.length);
  const { req, answer } = open("PATCH", url, { ...OCTETS, "upload-offset": 0, "content-length": bytes.length });
  req.write(bytes.subarray(0, 2 * CHUNK_BYTES));
  await expect.poll(() => committed(url)).toBe(2 * CHUNK_BYTES);
  const stopped = gateway.uploads.stop();
  req.write(bytes.subarray(2 * CHUNK_BYTES, 20 * CHUNK_BYTES));
  const { status, headers } = await answer;
  expect({ status, offset: Number(headers["upload-offset"]) }).toEqual({ status: 204, offset: await committed(url) });
  await stopped;
});

test("a body as small as most leaves its connection open for the next", async () => {
  gateway = await startGateway(database);
  const url = await create(gateway, 3 * CHUNK_BYTES);
  expect((await patch(url, 0, randomBytes(3 * CHUNK_BYTES), PERSISTENT)).headers.connection).toBe("keep-alive");
});

test("a client that waits for 100 Continue gets it, and then its bytes are read past HTTP", async () => {
  gateway = await startGateway(database, { borrowBytesMin: 0 });
  const bytes = randomBytes(2 * CHUNK_BYTES);
  const url = await create(gateway, bytes.length);
  const headers = { ...OCTETS, "upload-offset": 0, "content-length": bytes.length, expect: "100-continue" };
  const { req, answer } = open("PATCH", url, headers);
  req.flushHeaders();
  await once(req, "continue");
  req.end(bytes);
  const { headers: answered } = await answer;
  expect((await contentOf(database, gateway.nodes, String(answered["holdfast-entry-id"]))).equals(bytes)).toBe(true);
});

test("two slow clients share one buffer: it is given up half full, and what comes later is not written into the other's", async () => {
  gateway = await startGateway(database, { borrowBytesMin: 0, bufferBytes: CHUNK_BYTES });
  const files = [randomBytes(2 * CHUNK_BYTES), randomBytes(2 * CHUNK_BYTES)];
  const uploads = await Promise.all(
    files.map(async (bytes) => {
      const url = await create(gateway, bytes.length);
      const { req, answer } = open("PATCH", url, { ...OCTETS, "upload-offset": 0, "content-length": bytes.length });
      req.write(bytes.subarray(0, CHUNK_BYTES / 2));
      return { bytes, url, req, answer };
    }),
  );
  const halves = async () => (await Promise.all(uploads.map(({ url }) => committed(url)))).toSorted((a, b) => a - b);
  await expect.poll(halves, { timeout: 15_000 }).toEqual([0, CHUNK_BYTES / 2]); // the other one has the buffer now
  for (const { bytes, req } of uploads) req.end(bytes.subarray(CHUNK_BYTES / 2));
  for (const { bytes, answer } of uploads) {
    const { headers } = await answer;
    expect((await contentOf(database, gateway.nodes, String(headers["holdfast-entry-id"]))).equals(bytes)).toBe(true);
  }
});

test("too few nodes are left in the middle of a body: the client gets to read why", async () => {
  gateway = await startGateway(database, { borrowBytesMin: 0 });
  const bytes = randomBytes(20 * CHUNK_BYTES);
  const url = await create(gateway, bytes.length);
  const { req, answer } = open("PATCH", url, { ...OCTETS, "upload-offset": 0, "content-length": bytes.length });
  req.write(bytes.subarray(0, 2 * CHUNK_BYTES));
  await expect.poll(() => committed(url)).toBe(2 * CHUNK_BYTES);
  for (const node of gateway.nodes.all.slice(1)) node.fault = "unreachable";
  req.end(bytes.subarray(2 * CHUNK_BYTES));
  expect(await answer).toMatchObject({ status: 503, body: { error: "cluster.too_few_nodes" } });
});

test("what a client sends behind a body is not taken for a part of it", async () => {
  gateway = await startGateway(database, { borrowBytesMin: 0 });
  const bytes = randomBytes(2 * CHUNK_BYTES);
  const url = await create(gateway, bytes.length);
  const { port, pathname } = new URL(url);
  const socket = connect(Number(port), "127.0.0.1");
  const head = [
    "Host: any",
    "Tus-Resumable: 1.0.0",
    "Upload-Offset: 0",
    `Content-Type: ${OCTETS["content-type"]}`,
    `Content-Length: ${bytes.length}`,
  ];
  socket.write(`PATCH ${pathname} HTTP/1.1\r\n${head.join("\r\n")}\r\n\r\n`);
  socket.write(bytes);
  socket.write(`DELETE ${pathname} HTTP/1.1\r\nHost: any\r\nTus-Resumable: 1.0.0\r\n\r\n`);
  socket.on("error", () => undefined); // what was not read may end it roughly
  await once(socket.resume(), "close");
  const { headers } = await send("HEAD", url);
  expect((await contentOf(database, gateway.nodes, String(headers["holdfast-entry-id"]))).equals(bytes)).toBe(true);
});
