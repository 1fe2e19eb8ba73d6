import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { type IncomingHttpHeaders, request } from "node:http";
import { Readable } from "node:stream";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { chunkIdOf } from "@holdfast/core/chunking";
import { MemoryChunkStore } from "@holdfast/core/chunk-store";
import { startHttpServer } from "@holdfast/core/http-edge";
import { createLogger, limits, systemClock } from "@holdfast/core/kernel";
import { createLatencyMeter } from "@holdfast/core/node-registration";
import { EPOCH_HEADER } from "@holdfast/core/node-client";
import { signRequest } from "@holdfast/core/request-signing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createChunkMemory } from "./chunk-memory.ts";
import { EpochMemory } from "./epoch-memory.ts";
import { createNodeHandler } from "./handler.ts";
import type { Exchange } from "./route.ts";
import { chunkRoutes } from "./routes/chunks.ts";
import { commandRoutes } from "./routes/commands.ts";
import { reportRoutes } from "./routes/reports.ts";
import { NodeFaults } from "./simulation/node-faults.ts";
import { simulationRoutes } from "./simulation/routes.ts";
import { CLUSTER_KEY, startTestNode, type TestNode } from "./testing/index.ts";

let node: TestNode;
beforeAll(async () => void (node = await startTestNode({ bind: "0.0.0.0", store: "file" })));
afterAll(async () => {
  await node.drop();
  rmSync(directory, { recursive: true });
});

const CHUNK = randomBytes(10_000);
const ID = chunkIdOf(CHUNK);
const store = new MemoryChunkStore();
const facts = { name: "", version: "", zone: "", identity: () => expect.unreachable(), migration: async () => undefined };
const memory = createChunkMemory();
const requireJoined = () => undefined;
const idle = () => expect.unreachable();
const latencies = { write: createLatencyMeter(), read: createLatencyMeter() };
const directory = mkdtempSync(join(tmpdir(), "holdfast-handler-"));
const epochs = new EpochMemory(directory);
const routes = [
  ...reportRoutes(store, facts),
  ...chunkRoutes({ store, memory, latencies, requireJoined }),
  ...commandRoutes({
    store,
    epochs,
    replicate: () => expect.unreachable(),
    scrub: { status: idle, start: idle, pause: idle, stop: idle },
    lost: () => expect.unreachable(),
    memory: memory.healing,
    requireJoined,
  }),
  ...simulationRoutes(new NodeFaults({ store: { locate: async () => undefined }, logger: createLogger("test", "silent") }), true),
];
/** An address of this machine that is not loopback, where it has one. */
const outside = Object.values(networkInterfaces())
  .flatMap((all) => all!)
  .find(({ family, internal }) => family === "IPv4" && !internal)?.address;

interface Call {
  method: string;
  path: string;
  headers?: Record<string, string | number>;
  body?: Buffer;
  host?: string;
}

interface Reply {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** As written: no client that would tidy the path up. */
async function call({ method, path, headers = {}, body, host = "127.0.0.1" }: Call): Promise<Reply> {
  const sent = request({ host, port: node.port, method, path, headers, agent: false });
  sent.end(body);
  const [response] = (await once(sent, "response")) as [AsyncIterable<Buffer> & { statusCode: number; headers: IncomingHttpHeaders }];
  const parts: Buffer[] = [];
  for await (const part of response) parts.push(part);
  return { status: response.statusCode, headers: response.headers, body: Buffer.concat(parts) };
}

const sign = (method: string, path: string) => signRequest(CLUSTER_KEY, { method, path });
const signed = (method: string, path: string, rest: Partial<Call> = {}) =>
  call({ method, path, ...rest, headers: { ...rest.headers, ...sign(method, path) } });
const errorOf = ({ status, body }: Reply) => [status, (JSON.parse(body.toString()) as { error: string }).error];

describe.each(routes.filter(({ access }) => access === "cluster"))("$method $path lets nobody in", ({ method, path: pattern }) => {
  const path = pattern.replace(":id", ID);
  const late = { ...systemClock, now: () => new Date(Date.now() - limits.signatureWindowMs - 1_000) };
  const refused: [string, () => Record<string, string>][] = [
    ["without a signature", () => ({})],
    ["with half a signature", () => ({ "holdfast-time": String(Date.now()) })],
    ["with another cluster's key", () => signRequest("another-key-another-key-another-key", { method, path })],
    ["with a signature that is too old", () => signRequest(CLUSTER_KEY, { method, path }, late)],
    ["with a signature for another path", () => sign(method, "/other")],
    ["with a signature for another method", () => sign("PATCH", path)],
  ];
  test.each(refused)("%s", async (_how, headers) => {
    expect((await call({ method, path, headers: headers() })).status).toBe(401);
  });

  test("with a signature that was used before", async () => {
    const headers = sign(method, path);
    expect((await call({ method, path, headers })).status).not.toBe(401);
    expect((await call({ method, path, headers })).status).toBe(401);
  });
});

test("only health is open to anyone, and only metrics to this machine", () => {
  expect(routes.filter(({ access }) => access !== "cluster").map(({ path, access }) => [path, access])).toEqual([
    ["/health", "anyone"],
    ["/metrics", "loopback"],
  ]);
});

test.skipIf(outside === undefined)("metrics need a signature from elsewhere, none from this machine", async () => {
  expect((await call({ method: "GET", path: "/metrics", host: outside })).status).toBe(401);
  expect((await signed("GET", "/metrics", { host: outside })).status).toBe(200);
  const { status, body } = await call({ method: "GET", path: "/metrics" });
  expect(status).toBe(200);
  expect(body.toString()).toMatch(/^holdfast_node_writable\{node="node-1"\} 1$/m);
});

test("a stranger does not learn which addresses there are; a member does", async () => {
  expect(errorOf(await call({ method: "GET", path: "/nothing" }))).toEqual([401, "store.unauthenticated"]);
  expect(errorOf(await signed("GET", "/nothing"))).toEqual([404, "request.not_found"]);
  expect(errorOf(await signed("PATCH", `/chunks/${ID}`))).toEqual([405, "request.method_not_allowed"]);
});

test.each([
  ["a way out of the directory", "../../etc/passwd"],
  ["the same, encoded", "%2e%2e%2fholdfast-node.json"],
  ["the same, encoded twice", "%252e%252e%252f"],
  ["backslashes", "..\\..\\x"],
  ["upper case", ID.toUpperCase()],
  ["a digit too few", ID.slice(1)],
  ["a digit too many", `${ID}0`],
  ["a thousand digits", "a".repeat(1_000)],
  ["a NUL byte at the end", `${ID}%00`],
  ["an extension", `${ID}.chunk`],
  ["nothing", ""],
])("a chunk name with %s never reaches the disk", async (_what, name) => {
  const before = readdirSync(node.directory, { recursive: true });
  for (const method of ["GET", "HEAD", "PUT", "DELETE"]) {
    const { status } = await signed(method, `/chunks/${name}`, {
      body: method === "PUT" ? CHUNK : undefined,
      headers: { "content-length": method === "PUT" ? CHUNK.length : 0 },
    });
    expect([400, 404]).toContain(status);
  }
  expect((await signed("POST", `/uploadChunk?chunkId=${name}`, { body: CHUNK, headers: { "content-length": CHUNK.length } })).status).toBe(
    400,
  );
  expect(readdirSync(node.directory, { recursive: true })).toEqual(before);
});

test.each(["after=xyz", "after=..", "limit=0", "limit=-1", "limit=1e9", "limit=two", `limit=${limits.listPageMax + 1}`])(
  "a list page of %s is refused",
  async (query) => {
    for (const list of ["/chunks", "/trash", "/lost"])
      expect(errorOf(await signed("GET", `${list}?${query}`))).toEqual([400, "list.bad_page"]);
  },
);

test("a body of unknown length is refused before it is read", async () => {
  const reply = await signed("PUT", `/chunks/${ID}`, { body: CHUNK, headers: { "transfer-encoding": "chunked" } });
  expect(errorOf(reply)).toEqual([411, "chunk.length_required"]);
  expect(reply.headers.connection).toBe("close");
});

test("a body longer than a chunk is refused before it is read", async () => {
  const path = `/chunks/${ID}`;
  const sent = request({ port: node.port, method: "PUT", path, headers: { "content-length": 2 ** 40, ...sign("PUT", path) } });
  sent.flushHeaders();
  const [response] = (await once(sent, "response")) as [{ statusCode: number }];
  expect(response.statusCode).toBe(413);
  sent.destroy();
});

test("a client that leaves in mid-body leaves nothing behind, and the node goes on", async () => {
  const path = `/chunks/${ID}`;
  for (let index = 0; index < 20; index++) {
    const sent = request({
      port: node.port,
      method: "PUT",
      path,
      agent: false,
      headers: { "content-length": CHUNK.length, ...sign("PUT", path) },
    });
    sent.on("error", () => undefined);
    sent.write(CHUNK.subarray(0, 5_000));
    await once(sent, "socket");
    sent.destroy();
  }
  expect(await node.client.stat(ID)).toBeUndefined();
  expect(await node.client.put(ID, CHUNK)).toEqual({ stored: true });
  expect(readdirSync(`${node.directory}/incoming`)).toEqual([]);
  await node.client.delete(ID);
});

test("a body that trickles in is cut off, so that its memory serves others", async () => {
  const slow = await startHttpServer({
    port: 0,
    portSetting: "",
    bind: "127.0.0.1",
    logger: createLogger("test", "silent"),
    handler: createNodeHandler(routes, CLUSTER_KEY, 200),
  });
  const path = `/chunks/${ID}`;
  const headers = { "content-length": CHUNK.length, ...sign("PUT", path) };
  const sent = request({ port: slow.address.port, method: "PUT", path, headers }).on("error", () => undefined);
  const trickle = setInterval(() => sent.write("x"), 20);
  await new Promise((resolve) => sent.once("close", resolve));
  clearInterval(trickle);
  expect(await store.stat(ID)).toBeUndefined();
  await slow.stop();
});

test("older programs find the chunk under their names", async () => {
  const headers = { "content-length": CHUNK.length };
  expect((await signed("POST", "/uploadChunk", { body: CHUNK, headers: { ...headers, chunkId: ID } })).status).toBe(201);
  expect((await signed("POST", `/uploadChunk?chunkId=${ID}`, { body: CHUNK, headers })).status).toBe(200);
  expect((await signed("GET", `/downloadChunk/${ID}`)).body.equals(CHUNK)).toBe(true);
  expect(JSON.parse((await signed("GET", `/chunkInfo/${ID}`)).body.toString())).toEqual({ id: ID, length: CHUNK.length });
  await node.client.delete(ID);
});

test("a SHA-256 that the sender adds is checked, and given to the reader who asks", async () => {
  const path = `/chunks/${ID}`;
  const digest = `sha-256=:${Buffer.from(await crypto.subtle.digest("SHA-256", CHUNK)).toString("base64")}:`;
  const wrong = `sha-256=:${randomBytes(32).toString("base64")}:`;
  const put = (value: string) => signed("PUT", path, { body: CHUNK, headers: { "content-length": CHUNK.length, "content-digest": value } });
  expect(errorOf(await put(wrong))).toEqual([400, "chunk.mismatch"]);
  expect(await node.client.stat(ID)).toBeUndefined();
  expect((await put(digest)).status).toBe(201);
  expect((await signed("GET", path, { headers: { "want-content-digest": "sha-256=10" } })).headers["content-digest"]).toBe(digest);
  expect((await signed("GET", path)).headers["content-digest"]).toBeUndefined();
  await node.client.delete(ID);
});

test.each([
  ["/trash", { ids: [ID] }],
  ["/trash/restore", { ids: [ID] }],
  ["/trash/purge", { olderThanMs: 0 }],
])("POST %s is not carried out for a caller who was cut off while it waited: to him it is dead", async (path, body) => {
  const route = routes.find((candidate) => candidate.method === "POST" && candidate.path === path)!;
  const headers = { "content-type": "application/json", [EPOCH_HEADER]: "1" };
  const req = Object.assign(Readable.from([Buffer.from(JSON.stringify(body))]), { headers });
  const late = { req, res: {}, parameter: "", query: new URLSearchParams(), gone: AbortSignal.abort() } as unknown as Exchange;
  await store.put(ID, CHUNK);
  await expect(route.serve(late)).rejects.toMatchObject({ name: "AbortError" });
  expect(await store.stat(ID)).toBeDefined();
});
