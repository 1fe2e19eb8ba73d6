import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chunkStoreKinds } from "@holdfast/core/chunk-store";
import { chunkIdOf } from "@holdfast/core/chunking";
import { limits, systemClock } from "@holdfast/core/kernel";
import { signRequest } from "@holdfast/core/request-signing";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { CLUSTER_KEY, startTestNode, type TestNode } from "../testing/index.ts";

const PATH = "/chunk-stream";
const UPGRADE = { connection: "Upgrade", upgrade: "holdfast-chunks/1" };

let node: TestNode;
beforeEach(async () => void (node = await startTestNode()));
afterEach(() => node.drop());

interface Reply {
  status: number;
  error?: unknown;
  socket?: Socket;
}

/** What the node answers to a request to upgrade; with the connection when that is 101. */
async function ask(headers: Record<string, string>, path = PATH): Promise<Reply> {
  const asked = request({ host: "127.0.0.1", port: node.port, path, headers, agent: false }).end();
  const reply = await Promise.race([once(asked, "upgrade"), once(asked, "response")]);
  const [response, socket] = reply as [IncomingMessage, Socket | undefined];
  if (socket !== undefined) return { status: response.statusCode!, socket };
  const body = (await response.toArray()) as Buffer[];
  return { status: response.statusCode!, error: (JSON.parse(Buffer.concat(body).toString()) as { error?: string }).error };
}

const sign = (path = PATH, key = CLUSTER_KEY) => signRequest(key, { method: "GET", path });
const late = { ...systemClock, now: () => new Date(Date.now() - limits.signatureWindowMs - 1_000) };

test.each<[string, () => Record<string, string>]>([
  ["without a signature", () => ({})],
  ["with another cluster's key", () => sign(PATH, "another-key-another-key-another-key")],
  ["with a signature for another path", () => sign("/stats")],
  ["with a signature that is too old", () => signRequest(CLUSTER_KEY, { method: "GET", path: PATH }, late)],
])("%s no stream is opened", async (_how, headers) => {
  expect(await ask({ ...UPGRADE, ...headers() })).toEqual({ status: 401, error: "store.unauthenticated" });
});

test("a signature opens one stream, and no second one", async () => {
  const headers = { ...UPGRADE, ...sign() };
  const { status, socket } = await ask(headers);
  expect(status).toBe(101);
  expect(await ask(headers)).toEqual({ status: 401, error: "store.unauthenticated" });
  socket!.destroy();
});

test("a node without a cluster opens no stream, and says over HTTP why", async () => {
  await node.drop();
  const data = mkdtempSync(join(tmpdir(), "holdfast-new-node-"));
  const directory = join(data, "node");
  mkdirSync(directory);
  node = await startTestNode({ directory });
  expect(await ask({ ...UPGRADE, ...sign() })).toEqual({ status: 503, error: "node.unregistered" });
  const bytes = randomBytes(10);
  await expect(node.client.put(chunkIdOf(bytes), bytes)).rejects.toMatchObject({
    code: "store.unreachable",
    message: expect.stringContaining("has not joined a cluster yet") as string,
  });
  rmSync(data, { recursive: true });
});

test("a request to become anything else is a request like any other", async () => {
  expect(await ask({ connection: "Upgrade", upgrade: "websocket", ...sign() })).toEqual({ status: 404, error: "request.not_found" });
  expect(await ask(sign())).toEqual({ status: 404, error: "request.not_found" });
  expect(await ask({ connection: "Upgrade, HTTP2-Settings", upgrade: "h2c" }, "/health")).toMatchObject({ status: 200 });
});

test.each(chunkStoreKinds)("a part that its chunk does not have is refused, and blames no copy: %s store", async (store) => {
  await node.drop();
  node = await startTestNode({ store });
  const bytes = randomBytes(100_000);
  const id = chunkIdOf(bytes);
  await node.client.put(id, bytes);
  await expect(node.client.getPart(id, { from: 99_999, to: 100_001 })).rejects.toMatchObject({
    code: "store.unreachable",
    message: expect.stringContaining("ends at 100000") as string,
  });
  expect((await node.client.getPart(id, { from: 99_999, to: 100_000 }))!.equals(bytes.subarray(99_999))).toBe(true);
  expect(await node.client.stats()).toMatchObject({ chunkCount: 1, corruptChunks: 0 });
});

test("more parts than the memory for whole chunks holds are read at once, whichever store keeps them", async () => {
  const bytes = randomBytes(limits.chunkBytesMax);
  const id = chunkIdOf(bytes);
  await node.client.put(id, bytes);
  const froms = Array.from({ length: 4 * (limits.nodeSendBytes / limits.chunkBytesMax) }, (_, index) => index * 200_000);
  const parts = await Promise.all(froms.map((from) => node.client.getPart(id, { from, to: from + 100_000 })));
  expect(parts.map((part, index) => part?.equals(bytes.subarray(froms[index], froms[index]! + 100_000)))).not.toContain(false);
});

test("a node that stops does not wait for those who only listen", async () => {
  const { socket } = await ask({ ...UPGRADE, ...sign() });
  const bytes = randomBytes(1_000);
  await node.client.put(chunkIdOf(bytes), bytes);
  await node.client.get(chunkIdOf(bytes));
  const closed = once(socket!.resume(), "close");
  await node.drop();
  await closed;
  expect(socket!.destroyed).toBe(true);
  node = await startTestNode();
});

test("a partition cuts streams that are open, and lets none be opened", async () => {
  const { socket } = await ask({ ...UPGRADE, ...sign() });
  const closed = new Promise((resolve) => socket!.on("error", () => undefined).once("close", resolve));
  await node.commands.simulate({ kind: "partition", seconds: 600 });
  await closed;
  await expect(ask({ ...UPGRADE, ...sign() })).rejects.toThrow("socket hang up");
  await node.commands.recover();
  await vi.waitFor(async () => {
    const { status, socket: next } = await ask({ ...UPGRADE, ...sign() });
    next?.destroy();
    expect(status).toBe(101);
  });
});
