import { randomUUID } from "node:crypto";
import { inTransaction } from "@holdfast/db";
import { createTestDatabase, type TestDatabase } from "@holdfast/db/testing";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { listEvents } from "../events/index.ts";
import { ensureClusterId, type NodeRegistration, type NodeStatus, recordHeartbeat, registerNode } from "./index.ts";

let database: TestDatabase;
beforeAll(async () => (database = await createTestDatabase()));
afterAll(() => database.drop());
beforeEach(async () => {
  gone = [];
  await database.pool.query("TRUNCATE cluster, node, event RESTART IDENTITY CASCADE");
});

const status: NodeStatus = {
  capacityBytes: 1_000,
  freeBytes: 900,
  usedBytes: 50,
  chunkCount: 5,
  writable: true,
  writeRefusal: "",
  diskErrors: 0,
  corruptChunks: 0,
  device: "cellar:2049",
  writeLatencyMs: 0,
  readLatencyMs: 0,
  grpcPort: 7201,
  scrubProgress: 0,
  scrubbedAt: undefined,
};

function newNode(changes: Partial<NodeRegistration> = {}): NodeRegistration {
  return {
    identity: randomUUID(),
    bootId: randomUUID(),
    clusterId: undefined,
    name: "node-1",
    host: "127.0.0.1",
    port: 7101,
    zone: "default",
    mac: "02:00:00:00:00:01",
    version: "0.1.0",
    store: "file",
    status,
    ...changes,
  };
}

let gone: number[];
const register = (registration: NodeRegistration) =>
  registerNode(
    (work) => inTransaction(database.pool, work),
    registration,
    (id) => gone.includes(id),
  );
const row = async (id: number) => (await database.pool.query("SELECT * FROM node WHERE id = $1", [id])).rows[0] as Record<string, unknown>;
const messages = async () => (await listEvents(database.pool, { limit: 20 })).items.map((event) => event.message);

test("twenty first registrations at once make one cluster, and twenty nodes with the numbers 1 to 20", async () => {
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) => register(newNode({ name: `node-${index}`, port: 7101 + index }))),
  );
  expect(new Set(answers.map((answer) => answer.clusterId))).toEqual(new Set([await ensureClusterId(database.pool)]));
  expect(answers.map((answer) => answer.nodeId).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
});

test("a new node is up, with everything it said of itself", async () => {
  const { nodeId } = await register(newNode());
  expect(await row(nodeId)).toMatchObject({
    name: "node-1",
    host: "127.0.0.1",
    port: 7101,
    mac: "02:00:00:00:00:01",
    health: "up",
    capacity_bytes: 1_000,
    free_bytes: 900,
    chunk_count: 5,
  });
  expect(await messages()).toEqual(["node-1 joined at 127.0.0.1:7101."]);
});

test("a node that restarts keeps its number, and its sequence begins again", async () => {
  const node = newNode();
  const { nodeId, clusterId } = await register(node);
  await recordHeartbeat(database.pool, { ...node, sequence: 7 });
  const next = { ...node, clusterId, bootId: randomUUID() };
  expect((await register(next)).nodeId).toBe(nodeId);
  expect(await recordHeartbeat(database.pool, { ...next, sequence: 1 })).toEqual({ nodeId, fresh: true });
  expect(await messages()).toEqual(["node-1 restarted.", "node-1 joined at 127.0.0.1:7101."]);
});

test("a node that restarts stays in the zone that an operator gave it", async () => {
  const node = newNode();
  const { nodeId } = await register(node);
  await database.pool.query("UPDATE node SET zone = 'cellar'");
  await register({ ...node, bootId: randomUUID() });
  expect(await row(nodeId)).toMatchObject({ zone: "cellar" });
});

test("a registration that is repeated, because its answer was lost, changes nothing and is no restart", async () => {
  const node = newNode();
  await register(node);
  await recordHeartbeat(database.pool, { ...node, sequence: 7 });
  await register(node);
  expect(await recordHeartbeat(database.pool, { ...node, sequence: 7 })).toMatchObject({ fresh: false });
  expect(await messages()).toHaveLength(1);
});

test("a copied disk is refused while its original is up or suspect, and nothing about the original changes", async () => {
  const original = newNode();
  const { nodeId } = await register(original);
  const clone = { ...original, bootId: randomUUID(), host: "10.0.0.9" };
  await expect(register(clone)).rejects.toMatchObject({
    code: "node.cloned",
    message: expect.stringContaining("127.0.0.1:7101") as string,
  });
  await database.pool.query("UPDATE node SET health = 'suspect'");
  await expect(register(clone)).rejects.toMatchObject({ code: "node.cloned" });
  expect(await row(nodeId)).toMatchObject({ host: "127.0.0.1", boot_id: original.bootId });
});

test("a copied disk that asks again and again is one event a minute, with both addresses", async () => {
  const original = newNode();
  await register(original);
  const clone = { ...original, bootId: randomUUID(), host: "10.0.0.9" };
  const refusals = async () => (await messages()).filter((message) => message.includes("was refused"));
  for (let attempt = 0; attempt < 3; attempt++) await expect(register(clone)).rejects.toMatchObject({ code: "node.cloned" });
  expect(await refusals()).toEqual([expect.stringMatching(/at 10\.0\.0\.9:7101 .* node-1, which runs at 127\.0\.0\.1:7101\./)]);
  await database.pool.query("UPDATE event SET at = at - interval '61 seconds'");
  await expect(register(clone)).rejects.toMatchObject({ code: "node.cloned" });
  expect(await refusals()).toHaveLength(2);
});

test("a disk that moved to another machine is recognised once its old place is down", async () => {
  const original = newNode();
  const { nodeId } = await register(original);
  await database.pool.query("UPDATE node SET health = 'down'");
  expect((await register({ ...original, bootId: randomUUID(), host: "10.0.0.9" })).nodeId).toBe(nodeId);
  expect(await row(nodeId)).toMatchObject({ host: "10.0.0.9", health: "down" }); // up with its first heartbeat
  expect(await messages()).toContain("node-1 restarted, and moved from 127.0.0.1:7101 to 10.0.0.9:7101.");
});

test("a disk that moved is recognised too when its old place is silent and too few nodes remain to call it down", async () => {
  const original = newNode();
  const { nodeId } = await register(original);
  await database.pool.query("UPDATE node SET health = 'suspect'");
  gone = [nodeId];
  expect((await register({ ...original, bootId: randomUUID(), host: "10.0.0.9" })).nodeId).toBe(nodeId);
});

test("the process that a clone has replaced may not speak for the node any more", async () => {
  const original = newNode();
  await register(original);
  await register({ ...original, bootId: randomUUID() });
  await expect(recordHeartbeat(database.pool, { ...original, sequence: 1 })).rejects.toMatchObject({ code: "node.unregistered" });
});

test("a disk of another cluster is refused, and both clusters are named", async () => {
  const ours = await ensureClusterId(database.pool);
  const theirs = randomUUID();
  await expect(register(newNode({ clusterId: theirs }))).rejects.toMatchObject({ code: "node.foreign", details: { ours, theirs } });
  expect((await database.pool.query("SELECT FROM node")).rowCount).toBe(0);
});

test("a heartbeat nobody registered for is sent back to register", async () => {
  const node = newNode();
  await expect(recordHeartbeat(database.pool, { ...node, sequence: 1 })).rejects.toMatchObject({ code: "node.unregistered" });
});

test("a heartbeat that arrives late changes nothing", async () => {
  const node = newNode();
  const { nodeId } = await register(node);
  await recordHeartbeat(database.pool, { ...node, sequence: 2, status: { ...status, freeBytes: 200 } });
  expect(await recordHeartbeat(database.pool, { ...node, sequence: 1, status: { ...status, freeBytes: 100 } })).toEqual({
    nodeId,
    fresh: false,
  });
  expect(await row(nodeId)).toMatchObject({ free_bytes: 200, heartbeat_seq: 2 });
});

test("what a node says of its disk, its speed and its scrubbing is on record with its next heartbeat", async () => {
  const node = newNode();
  const { nodeId } = await register(node);
  expect(await row(nodeId)).toMatchObject({ device: "cellar:2049", grpc_port: 7201, scrubbed_at: null });
  const scrubbedAt = new Date("2026-11-01T12:00:00Z");
  const writeRefusal = "the disk failed.";
  const reported = { writable: false, writeRefusal, diskErrors: 3, corruptChunks: 2, writeLatencyMs: 12.5, readLatencyMs: 1.5 };
  await recordHeartbeat(database.pool, { ...node, sequence: 1, status: { ...status, ...reported, scrubProgress: 0.5, scrubbedAt } });
  expect(await row(nodeId)).toMatchObject({
    write_refusal: writeRefusal,
    disk_errors: 3,
    corrupt_chunks: 2,
    write_latency_ms: 12.5,
    read_latency_ms: 1.5,
    scrub_progress: 0.5,
    scrubbed_at: scrubbedAt,
  });
});

test("a node that fills up and has room again says so once each", async () => {
  const node = newNode();
  await register(node);
  const full = { ...status, writable: false, writeRefusal: "the disk is full but for its reserve." };
  for (const [index, reported] of [status, full, full, status].entries()) {
    await recordHeartbeat(database.pool, { ...node, sequence: index + 1, status: reported });
  }
  expect(await messages()).toEqual([
    "node-1 takes new chunks again.",
    "node-1 takes no new chunks: the disk is full but for its reserve.",
    "node-1 joined at 127.0.0.1:7101.",
  ]);
});

test("a second node with a taken name gets a number behind it, keeps it over restarts, and frees it by another name", async () => {
  const second = newNode({ port: 7102 });
  await register(newNode());
  const { nodeId } = await register(second);
  expect(await row(nodeId)).toMatchObject({ name: "node-1-2" });
  await register({ ...second, bootId: randomUUID() });
  expect(await row(nodeId)).toMatchObject({ name: "node-1-2" });
  await register({ ...second, bootId: randomUUID(), name: "attic" });
  expect(await row(nodeId)).toMatchObject({ name: "attic" });
});
