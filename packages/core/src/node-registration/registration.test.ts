import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTestDatabase, type TestDatabase } from "@holdfast/db/testing";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { MemoryChunkStore } from "../chunk-store/index.ts";
import { type Controller, startController } from "../controller/index.ts";
import { createLogger, HOUR_MS, type Logger } from "../kernel/index.ts";
import { createManualClock } from "../testing/index.ts";
import { connectController, type IdentityMarker, openIdentity, type Registration, startRegistration } from "./index.ts";

/** A machine that does much else at the time needs seconds for what takes milliseconds. */
const PATIENTLY = { timeout: 10_000 };

const KEY = "test-cluster-key-test-cluster-key";
const HEARTBEAT_MS = 100;
const VITALS = {
  device: "cellar:2049",
  writeLatencyMs: 7.5,
  readLatencyMs: 1.5,
  grpcPort: 7201,
  scrubProgress: 0.25,
  scrubbedAt: new Date("2026-11-01T12:00:00Z"),
};

let database: TestDatabase;
let controller: Controller;
let directory: string;
let marker: IdentityMarker;
let logger: Logger;
let leave: (() => Promise<void>)[];

beforeEach(async () => {
  database = await createTestDatabase();
  controller = await startTheController();
  directory = mkdtempSync(join(tmpdir(), "holdfast-registration-"));
  marker = await openIdentity(directory, "file");
  logger = createLogger("test", "silent");
  leave = [];
});
afterEach(async () => {
  await Promise.all(leave.map((step) => step()));
  await controller.stop();
  await database.drop();
  rmSync(directory, { recursive: true });
});

test("a new node registers, is stamped with cluster and number, and is heard from then on", async () => {
  startNode();
  await vi.waitFor(() => expect(marker.current.nodeId).toBe(1), PATIENTLY);
  expect(marker.current.clusterId).toBe(await clusterId());
  expect(await nodeRow()).toMatchObject({
    name: "node-1",
    port: 7101,
    mac: "02:00:00:00:00:01",
    zone: "cellar",
    version: "1.2.3",
    writable: true,
    device: "cellar:2049",
    write_latency_ms: 7.5,
    read_latency_ms: 1.5,
    grpc_port: 7201,
    scrub_progress: 0.25,
    scrubbed_at: VITALS.scrubbedAt,
  });
  await vi.waitFor(async () => expect((await nodeRow()).heartbeat_seq).toBeGreaterThan(2), PATIENTLY);
});

test("the controller restarts: the node is heard again without anybody's help, and says so in two lines", async () => {
  const warn = vi.spyOn(logger, "warn");
  startNode();
  await vi.waitFor(async () => expect((await nodeRow()).heartbeat_seq).toBeGreaterThan(0), PATIENTLY);
  const { port } = controller;
  await controller.stop();
  await vi.waitFor(() => expect(warn).toHaveBeenCalled(), PATIENTLY);
  const before = (await nodeRow()).heartbeat_seq;
  controller = await startTheController(port);
  await vi.waitFor(async () => expect((await nodeRow()).heartbeat_seq).toBeGreaterThan(before), PATIENTLY);
  expect(warn.mock.calls.length).toBeLessThanOrEqual(2); // the connection broke; there is none
});

test("the controller starts long after the node: the node joins then", async () => {
  const { port } = controller;
  await controller.stop();
  const warn = vi.spyOn(logger, "warn");
  startNode({}, port);
  await vi.waitFor(() => expect(warn).toHaveBeenCalled(), PATIENTLY);
  expect(marker.current.nodeId).toBeUndefined();
  controller = await startTheController(port);
  await vi.waitFor(() => expect(marker.current.nodeId).toBe(1), PATIENTLY);
});

test("the cluster has forgotten the node: it registers anew", async () => {
  startNode();
  await vi.waitFor(() => expect(marker.current.nodeId).toBe(1), PATIENTLY);
  await database.pool.query("DELETE FROM node");
  await vi.waitFor(() => expect(marker.current.nodeId).toBe(2), PATIENTLY);
});

test("a disk of another cluster ends the registration, and its stamp stays", async () => {
  const other = randomUUID();
  await marker.complete({ clusterId: other, nodeId: 3 });
  await expect(startNode().ended).rejects.toMatchObject({ code: "node.foreign", message: expect.stringContaining(other) as string });
  expect(marker.current).toMatchObject({ clusterId: other, nodeId: 3 });
});

test("a copied disk is refused while its original lives: it waits in case that one is gone, then gives up", async () => {
  startNode();
  await vi.waitFor(() => expect(marker.current.nodeId).toBe(1), PATIENTLY);

  const clock = createManualClock();
  const warn = vi.spyOn(logger, "warn");
  const copy = startNode({ port: 7102, clock });
  await vi.waitFor(
    () => expect(warn).toHaveBeenCalledWith(expect.objectContaining({ grpc: "ALREADY_EXISTS" }), expect.any(String)),
    PATIENTLY,
  );
  clock.advance(HOUR_MS);
  await expect(copy.ended).rejects.toMatchObject({ code: "node.cloned" });
  expect(await nodeRow()).toMatchObject({ port: 7101 });
});

test("a node with the wrong cluster key never gets in, keeps asking, and says so once", async () => {
  const warn = vi.spyOn(logger, "warn");
  let attempts = 0;
  startNode({ onAttempt: () => attempts++ }, controller.port, "another-key-another-key-another-key");
  await vi.waitFor(() => expect(attempts).toBeGreaterThan(2), PATIENTLY);
  expect(warn).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ grpc: "UNAUTHENTICATED" }), expect.any(String));
  expect(marker.current.nodeId).toBeUndefined();
});

interface NodeChanges {
  port?: number;
  clock?: ReturnType<typeof createManualClock>;
  /** Called whenever the node is about to call its controller. */
  onAttempt?: () => void;
}

function startNode({ port = 7101, clock, onAttempt }: NodeChanges = {}, controllerPort = controller.port, key = KEY): Registration {
  const store = new MemoryChunkStore();
  const client = connectController([`127.0.0.1:${controllerPort}`], key);
  const registration = startRegistration({
    controller: client,
    marker,
    node: { name: "node-1", host: "127.0.0.1", port, zone: "cellar", mac: "02:00:00:00:00:01", version: "1.2.3" },
    async vitals() {
      onAttempt?.();
      return { ...(await store.stats()), ...VITALS };
    },
    logger,
    clock,
  });
  leave.push(async () => {
    await registration.stop();
    client.close();
  });
  return registration;
}

function startTheController(port = 0): Promise<Controller> {
  const times = { heartbeatIntervalMs: HEARTBEAT_MS, downAfterMs: 20 * HEARTBEAT_MS };
  return startController({
    pool: database.pool,
    clusterKey: KEY,
    bind: "127.0.0.1",
    port,
    ...times,
    logger: createLogger("test", "silent"),
  });
}

async function clusterId(): Promise<string> {
  return (await database.pool.query<{ id: string }>("SELECT id FROM cluster")).rows[0]!.id;
}

async function nodeRow(): Promise<Record<string, unknown> & { heartbeat_seq: number }> {
  return (await database.pool.query("SELECT * FROM node")).rows[0];
}
