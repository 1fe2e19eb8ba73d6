import { randomBytes, randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chunkIdOf, chunkIdToBytes, type ChunkId } from "@holdfast/core/chunking";
import { type Controller, startController } from "@holdfast/core/controller";
import { checkConsistency } from "@holdfast/core/fsck";
import { createLogger, limits, SECOND_MS } from "@holdfast/core/kernel";
import { createNodeClients, type NodeClients } from "@holdfast/core/node-client";
import { createTestDatabase, type TestDatabase } from "@holdfast/db/testing";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { CLUSTER_KEY, type NodeProcess, spawnNode } from "./testing/index.ts";

const NODES = { one: "file", two: "segment", three: "segment" };

let database: TestDatabase;
let controller: Controller;
let clients: NodeClients;
let data: string;
let nodes: NodeProcess[];
beforeAll(async () => {
  data = mkdtempSync(join(tmpdir(), "holdfast-garbage-"));
  database = await createTestDatabase();
  clients = createNodeClients({ clusterKey: CLUSTER_KEY });
  controller = await startController({
    pool: database.pool,
    clusterKey: CLUSTER_KEY,
    bind: "127.0.0.1",
    port: 0,
    heartbeatIntervalMs: SECOND_MS / 2,
    downAfterMs: 30 * SECOND_MS,
    gcGraceMs: SECOND_MS,
    logger: createLogger("test", "silent"),
  });
  nodes = [];
});
afterAll(async () => {
  await Promise.all(nodes.map((node) => node.kill("SIGTERM")));
  await controller.stop();
  await clients.close();
  await database.drop();
  rmSync(data, { recursive: true });
});

/** One after the other: they are numbered as they come. */
async function startNodes(): Promise<void> {
  for (const [name, store] of Object.entries(NODES)) {
    const environment = { HOLDFAST_CONTROLLER_ADDRESS: `127.0.0.1:${controller.port}`, HOLDFAST_NODE_STORE: store };
    nodes.push(await spawnNode(join(data, name), environment));
    await vi.waitFor(async () => expect(await registered()).toBe(nodes.length), { timeout: 30_000 });
  }
}

const registered = async (): Promise<number> => (await database.pool.query("SELECT FROM node")).rowCount!;
const addressOf = (index: number) => ({ id: index + 1, host: "127.0.0.1", port: nodes[index]!.port });
const clientOf = (index: number) => clients.clientFor(addressOf(index));

/** Nodes that hold it, or have it in their trash. */
async function keepersOf(id: ChunkId): Promise<number[]> {
  const keeps = async (index: number): Promise<boolean> => {
    const trash = await clients.commandsFor(addressOf(index)).listTrash(undefined, limits.listPageMax);
    return trash.some((chunk) => chunk.id === id) || (await clientOf(index).stat(id)) !== undefined;
  };
  const indexes = [...nodes.keys()];
  const kept = await Promise.all(indexes.map(keeps));
  return indexes.filter((index) => kept[index]);
}

async function keepEverywhere(): Promise<ChunkId> {
  const bytes = randomBytes(10_000);
  for (const index of nodes.keys()) await clientOf(index).put(chunkIdOf(bytes), bytes);
  return chunkIdOf(bytes);
}

/** As long known and held by all three; an inventory may have found the bytes on a disk, and made the row, before. */
const INSERT_CHUNK = `INSERT INTO chunk (id, length, replicas, created_at) VALUES ($1, 10000, '{1,2,3}', now() - interval '1 hour')
  ON CONFLICT (id) DO UPDATE SET replicas = EXCLUDED.replicas, created_at = EXCLUDED.created_at RETURNING id`;

/** In one statement: a row of that age that nothing uses, even for a moment, would be condemned. */
async function insertUsedChunk(id: ChunkId): Promise<void> {
  await database.pool.query(
    `WITH chunk AS (${INSERT_CHUNK}),
          person AS (INSERT INTO "user" (id, name, email) VALUES ('p', 'P', 'p@example.org') RETURNING id),
          drive AS (INSERT INTO drive (id, owner_id) SELECT $2, id FROM person RETURNING id),
          version AS (INSERT INTO version (id, drive_id) SELECT $3, id FROM drive RETURNING id, drive_id),
          upload AS (INSERT INTO upload (id, drive_id, version_id, "offset", expires_at) SELECT $4, drive_id, id, 10000, now() + interval '1 day' FROM version)
     INSERT INTO extent (version_id, "offset", length, chunk_id) SELECT version.id, 0, 10000, chunk.id FROM version, chunk`,
    [chunkIdToBytes(id), randomUUID(), randomUUID(), randomUUID()],
  );
}

test("real nodes and a real controller: what is needed stays, what is not goes from every disk, and the cluster is sound then", async () => {
  await startNodes();
  const needed = await keepEverywhere();
  await insertUsedChunk(needed);
  const [garbage, stray] = [await keepEverywhere(), await keepEverywhere()];
  await database.pool.query(INSERT_CHUNK, [chunkIdToBytes(garbage)]);
  await expect.poll(() => controller.safemode.isOn(), { timeout: 20_000 }).toBe(false);
  const left = async (): Promise<number[]> => [...(await keepersOf(garbage)), ...(await keepersOf(stray))];
  await expect.poll(left, { timeout: 90_000, interval: 500 }).toEqual([]);
  expect(await keepersOf(needed)).toEqual([0, 1, 2]);
  await expect.poll(() => controller.garbage.heldBy(), { timeout: 20_000 }).toBe("");
  expect(await checkConsistency({ pool: database.pool, clients })).toMatchObject({ findings: [], unchecked: [] });
}, 150_000);
