import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import type { ChunkStore } from "../chunk-store/index.ts";
import { chunkIdOf } from "../chunking/index.ts";
import { limits } from "../kernel/index.ts";
import { createNodeClients } from "./index.ts";

const CHUNK = randomBytes(100_000);
const ID = chunkIdOf(CHUNK);
const CLUSTER_KEY = "test-cluster-key-test-cluster-key";

let leave: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of leave.splice(0)) await step();
});

/** A client of something at the other end that opens no chunk streams, and otherwise behaves as no node of ours would. */
async function clientOf(behaviour: RequestListener): Promise<ChunkStore> {
  const server = createServer((req, res) => (req.headers.upgrade ? res.writeHead(404).end() : behaviour(req, res))).listen(0, "127.0.0.1");
  await once(server, "listening");
  const clients = createNodeClients({ clusterKey: CLUSTER_KEY });
  leave.push(
    () => server.closeAllConnections(),
    () => server.close(),
    () => clients.close(),
  );
  return clients.clientFor({ id: 1, host: "127.0.0.1", port: (server.address() as AddressInfo).port });
}

const UNREACHABLE = { code: "store.unreachable" };

test("a chunk that changes on its way is not passed on, and the node's copy is not blamed", async () => {
  const changed = Buffer.from(CHUNK);
  changed[50_000]! ^= 1;
  const client = await clientOf((_req, res) => res.end(changed));
  await expect(client.get(ID)).rejects.toMatchObject(UNREACHABLE);
});

test("an answer that breaks off is no chunk", async () => {
  const client = await clientOf((_req, res) => {
    res.writeHead(200, { "content-length": CHUNK.length });
    res.write(CHUNK.subarray(0, 60_000), () => res.destroy());
  });
  await expect(client.get(ID)).rejects.toMatchObject(UNREACHABLE);
});

test("an answer longer than a chunk can be is not read into memory", async () => {
  const client = await clientOf((_req, res) => {
    res.writeHead(200, { "content-length": 2 * limits.chunkBytesMax });
    res.write(CHUNK);
  });
  await expect(client.get(ID)).rejects.toMatchObject(UNREACHABLE);
});

test("an endless answer that does not say its length is not read into memory", async () => {
  const client = await clientOf((_req, res) => {
    const more = (): void => void (res.writable && res.write(CHUNK, more));
    more();
  });
  await expect(client.get(ID)).rejects.toMatchObject(UNREACHABLE);
});

test("nobody is there, or hangs up", async () => {
  const clients = createNodeClients({ clusterKey: CLUSTER_KEY });
  leave.push(() => clients.close());
  const nobody = clients.clientFor({ id: 1, host: "127.0.0.1", port: 1 });
  await expect(nobody.put(ID, CHUNK)).rejects.toMatchObject({ ...UNREACHABLE, details: { address: "127.0.0.1:1" } });
  const rude = await clientOf((req) => req.socket.destroy());
  await expect(rude.stat(ID)).rejects.toMatchObject(UNREACHABLE);
});

test.each([
  ["a page of another service", 200, "<html>"],
  ["stats without their numbers", 200, "{}"],
  ["an error of ours that no client knows", 500, `{"error":"internal","message":"no"}`],
  ["an error without words", 503, ""],
])("%s is a broken answer, never an empty result", async (_what, status, body) => {
  const client = await clientOf((_req, res) => res.writeHead(status).end(body));
  await expect(client.stats()).rejects.toMatchObject(UNREACHABLE);
  await expect(client.list(undefined, 10)).rejects.toMatchObject(UNREACHABLE);
});

test("a listing with a name that is no chunk's is a broken answer", async () => {
  const client = await clientOf((_req, res) => res.end(JSON.stringify({ chunks: [{ id: "../x", length: 1 }] })));
  await expect(client.list(undefined, 10)).rejects.toMatchObject(UNREACHABLE);
});

test("a reader who stops waiting frees the connection", async () => {
  const asked = Promise.withResolvers<void>();
  const gone = Promise.withResolvers<void>();
  const client = await clientOf((_req, res) => {
    res.once("close", () => gone.resolve());
    asked.resolve();
  });
  const leaving = new AbortController();
  const read = client.get(ID, { signal: leaving.signal });
  await asked.promise;
  leaving.abort();
  await expect(read).rejects.toMatchObject(UNREACHABLE);
  await gone.promise;
  await expect(client.get(ID, { signal: leaving.signal })).rejects.toMatchObject(UNREACHABLE);
});

test("one store per address, however often it is asked for", () => {
  const clients = createNodeClients({ clusterKey: CLUSTER_KEY });
  const at = (host: string, port: number) => clients.clientFor({ id: 1, host, port });
  expect(at("::1", 1)).toBe(at("::1", 1));
  expect(at("::1", 1)).not.toBe(at("::1", 2));
});
