/** A real node that is told to keep its chunks in segments, and killed in the middle of it. */
import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ChunkId, chunkIdOf } from "@holdfast/core/chunking";
import { KiB } from "@holdfast/core/kernel";
import { createNodeClients, type NodeClients } from "@holdfast/core/node-client";
import { afterEach, beforeEach, expect, test } from "vitest";
import { CLUSTER_KEY, joinedDirectory, nodeAddress, type NodeProcess, spawnNode } from "./testing/index.ts";

let data: string;
let directory: string;
let clients: NodeClients;
let node: NodeProcess;
beforeEach(async () => {
  data = mkdtempSync(join(tmpdir(), "holdfast-migration-"));
  directory = await joinedDirectory(data, { store: "file" });
  clients = createNodeClients({ clusterKey: CLUSTER_KEY });
});
afterEach(async () => {
  await node.kill("SIGKILL");
  await clients.close();
  rmSync(data, { recursive: true });
});

async function start(store?: "file" | "segment"): Promise<void> {
  node = await spawnNode(data, store && { HOLDFAST_NODE_STORE: store });
}
const chunks = () => clients.clientFor(nodeAddress(node.port));
const commands = () => clients.commandsFor(nodeAddress(node.port));
const storeOfMarker = (): unknown => (JSON.parse(readFileSync(join(directory, "holdfast-node.json"), "utf8")) as { store: unknown }).store;
const filesLeft = (): number =>
  ["chunks", "trash"]
    .flatMap((tree) => readdirSync(join(directory, tree), { recursive: true, encoding: "utf8" }))
    .filter((name) => name.endsWith(".chunk")).length;

async function put(count: number, length: number): Promise<ChunkId[]> {
  const all = Array.from({ length: count }, () => randomBytes(length));
  await Promise.all(all.map((bytes) => chunks().put(chunkIdOf(bytes), bytes)));
  return all.map(chunkIdOf);
}

test("kill -9 while chunks move into segments, and users write: none is missing, the trash is as it was, and there is no way back", async () => {
  await start("file");
  const acknowledged = [...(await put(300, 64 * KiB)), ...(await put(100, 5 * KiB))];
  const trashed = await put(40, 10 * KiB);
  await commands().trash(trashed, 1);
  const trash = await commands().listTrash(undefined, 100);
  await node.kill("SIGTERM");

  for (const killAt of [380, 250, 120]) {
    await start("segment");
    acknowledged.push(...(await put(3, 20 * KiB)));
    while (filesLeft() > killAt) acknowledged.push(...(await put(1, KiB)));
    await node.kill("SIGKILL");
    expect(storeOfMarker()).toBe("segment");
  }
  expect(filesLeft()).toBeGreaterThan(0);

  await start(); // the marker says it
  await expect.poll(() => readdirSync(directory), { timeout: 60_000 }).not.toContain("chunks");
  expect(readdirSync(directory).toSorted()).not.toContain("trash");
  const held = await chunks().list(undefined, 1_000);
  expect(held.map(({ id }) => id)).toEqual(acknowledged.toSorted());
  for (const { id, length } of held) expect(await chunks().get(id)).toHaveLength(length);
  expect(await commands().listTrash(undefined, 100)).toEqual(trash);
  expect(await chunks().stats()).toMatchObject({ chunkCount: acknowledged.length, corruptChunks: 0 });

  expect(await node.kill("SIGTERM")).toBe(0);
  await start("file");
  expect(await node.exited).toBe(1);
  expect(node.stderr()).toMatch(/^.* keeps its chunks in segments, from which there is no way back\. Set HOLDFAST_NODE_STORE=segment\.\n$/);
});

test("a disk that is told nothing stays what it is", async () => {
  await start();
  const [id] = await put(1, KiB);
  await node.kill("SIGTERM");
  await start();
  expect(await chunks().stat(id!)).toBeDefined();
  expect([storeOfMarker(), filesLeft()]).toEqual(["file", 1]);
});
