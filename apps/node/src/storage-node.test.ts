import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { randomBytes } from "node:crypto";
import { chunkIdOf } from "@holdfast/core/chunking";
import { createNodeClients } from "@holdfast/core/node-client";
import { expect, test } from "vitest";
import { nodeAddress, startTestNode } from "./testing/index.ts";

const CHUNK = randomBytes(1_000);
const ID = chunkIdOf(CHUNK);

test("a node that has not joined a cluster takes no chunk, serves none, and says why", async () => {
  const data = mkdtempSync(join(tmpdir(), "holdfast-node-"));
  const node = await startTestNode({ directory: join(data, "nodes/node-1") });
  const health = await fetch(`http://127.0.0.1:${node.port}/health`);
  expect(health.status).toBe(503);
  await expect(node.client.put(ID, CHUNK)).rejects.toThrow(/has not joined a cluster yet/);
  await expect(node.client.get(ID)).rejects.toMatchObject({ code: "store.unreachable" });
  await node.drop();
  rmSync(data, { recursive: true });
});

test("a node that joined once serves while its controller is away", async () => {
  const node = await startTestNode();
  expect((await fetch(`http://127.0.0.1:${node.port}/health`)).status).toBe(200);
  await node.client.put(ID, CHUNK);
  expect((await node.client.get(ID)).equals(CHUNK)).toBe(true);
  await node.drop();
});

test("two nodes never work in one directory", async () => {
  const node = await startTestNode();
  await expect(startTestNode({ directory: node.directory })).rejects.toThrow(/Another process works in/);
  await node.drop();
});

test("a port in use is one line that names the setting, and the directory is free again", async () => {
  const node = await startTestNode();
  const other = await startTestNode();
  await other.drop();
  await expect(startTestNode({ port: node.port })).rejects.toThrow(/Set HOLDFAST_NODE_PORT|set HOLDFAST_NODE_PORT/);
  await node.drop();
});

test("a client with another cluster's key is told so, whatever it asks", async () => {
  const node = await startTestNode();
  const clients = createNodeClients({ clusterKey: "another-key-another-key-another-key" });
  const stranger = clients.clientFor(nodeAddress(node.port));
  const refusal = { code: "store.unauthenticated" };
  await expect(stranger.put(ID, CHUNK)).rejects.toMatchObject(refusal);
  await expect(stranger.get(ID)).rejects.toMatchObject(refusal);
  await expect(stranger.stat(ID)).rejects.toMatchObject(refusal);
  await expect(stranger.delete(ID)).rejects.toMatchObject(refusal);
  await expect(stranger.list(undefined, 10)).rejects.toMatchObject(refusal);
  await expect(stranger.stats()).rejects.toMatchObject(refusal);
  await clients.close();
  await node.drop();
});
