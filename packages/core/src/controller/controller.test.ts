import { randomBytes, randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import * as grpc from "@grpc/grpc-js";
import { applyMigrations, openDatabase } from "@holdfast/db";
import { startPostgres } from "@holdfast/db/embedded";
import { createTestDatabase, type TestDatabase } from "@holdfast/db/testing";
import type pg from "pg";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { MemoryChunkStore } from "../chunk-store/index.ts";
import { createLogger } from "../kernel/index.ts";
import { connectController, openIdentity, startRegistration } from "../node-registration/index.ts";
import { ControllerService, createServiceClient, type ServiceClient } from "../protocol/index.ts";
import { signRequest } from "../request-signing/index.ts";
import { type Controller, type ControllerOptions, startController } from "./index.ts";

const VITALS = { device: "", writeLatencyMs: 0, readLatencyMs: 0, grpcPort: 0, scrubProgress: 0, scrubbedAt: undefined };
const clusterKey = randomBytes(32).toString("hex");
const logger = createLogger("test", "silent");

let database: TestDatabase;
let controller: Controller;
let client: ServiceClient<typeof ControllerService>;

beforeEach(async () => {
  database = await createTestDatabase();
  controller = await start(database.pool);
  client = connect(controller);
});

afterEach(async () => {
  client.close();
  await controller.stop();
  await database.drop();
});

const start = (
  pool: pg.Pool,
  port = 0,
  times: Partial<ControllerOptions> & Pick<ControllerOptions, "heartbeatIntervalMs" | "downAfterMs"> = {
    heartbeatIntervalMs: 200,
    downAfterMs: 1_000,
  },
): Promise<Controller> => startController({ pool, clusterKey, bind: "127.0.0.1", port, ...times, logger });

const connect = ({ port }: Controller) => createServiceClient(ControllerService, `127.0.0.1:${port}`, grpc.credentials.createInsecure());

function signed(method: "RegisterNode" | "Heartbeat", key = clusterKey): { metadata: grpc.Metadata; deadline: Date } {
  const metadata = new grpc.Metadata();
  const headers = signRequest(key, { method: "GRPC", path: `/holdfast.v1.ControllerService/${method}` });
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  return { metadata, deadline: new Date(Date.now() + 5_000) };
}

const status = { capacityBytes: 1_000n, freeBytes: 900n, usedBytes: 50n, chunkCount: 5n, writable: true, writeRefusal: "" };

const node = () => ({
  identity: randomUUID(),
  bootId: randomUUID(),
  name: "node-1",
  host: "127.0.0.1",
  port: 7101,
  zone: "cellar",
  store: "file",
  status,
});

const health = async (id: number): Promise<unknown> =>
  (await database.pool.query<{ health: string }>("SELECT health FROM node WHERE id = $1", [id])).rows[0]!.health;

test("a node registers, beats, falls silent, is found suspect, and is up again with its next heartbeat", async () => {
  const one = node();
  const answer = await client.registerNode(one, signed("RegisterNode"));
  expect(answer).toMatchObject({ nodeId: 1, heartbeatIntervalMs: 200 });
  expect(answer.clusterId).toMatch(/^[0-9a-f-]{36}$/);
  expect(await health(1)).toBe("up");
  expect((await database.pool.query("SELECT FROM node_sample WHERE node_id = 1")).rowCount).toBe(1);

  await client.heartbeat({ ...one, sequence: 1n }, signed("Heartbeat"));
  await vi.waitFor(async () => expect(await health(1)).toBe("suspect"), { timeout: 5_000 });
  await client.heartbeat({ ...one, sequence: 2n }, signed("Heartbeat"));
  await vi.waitFor(async () => expect(await health(1)).toBe("up"));
});

test("no call passes unsigned, signed by another key, for another method, or twice", async () => {
  const one = node();
  const refused = { code: grpc.status.UNAUTHENTICATED };
  await expect(client.registerNode(one, { ...signed("RegisterNode"), metadata: new grpc.Metadata() })).rejects.toMatchObject(refused);
  await expect(client.registerNode(one, signed("RegisterNode", "another key"))).rejects.toMatchObject(refused);
  await expect(client.registerNode(one, signed("Heartbeat"))).rejects.toMatchObject(refused);
  const captured = signed("RegisterNode");
  await client.registerNode(one, captured);
  await expect(client.registerNode(one, captured)).rejects.toMatchObject(refused);
});

test("what a node may act upon has its own status: a clone, a foreign disk, an unknown boot, nonsense", async () => {
  const one = node();
  await client.registerNode(one, signed("RegisterNode"));
  const clone = { ...one, bootId: randomUUID(), port: 7102 };
  await expect(client.registerNode(clone, signed("RegisterNode"))).rejects.toMatchObject({
    code: grpc.status.ALREADY_EXISTS,
    details: expect.stringContaining("already runs at 127.0.0.1:7101") as string,
  });
  await expect(client.registerNode({ ...node(), clusterId: randomUUID() }, signed("RegisterNode"))).rejects.toMatchObject({
    code: grpc.status.FAILED_PRECONDITION,
  });
  await expect(client.heartbeat({ ...node(), sequence: 1n }, signed("Heartbeat"))).rejects.toMatchObject({ code: grpc.status.NOT_FOUND });
});

test.each([
  ["identity", { identity: "node-1" }],
  ["bootId", { bootId: "" }],
  ["clusterId", { clusterId: "ours" }],
  ["name", { name: "../etc" }],
  ["host", { host: "127.0.0.1/x" }],
  ["port", { port: 70_000 }],
  ["store", { store: "tape" }],
  ["status", { status: undefined }],
  ["status.freeBytes", { status: { ...status, freeBytes: 2n ** 60n } }],
])("a registration with an impossible %s is refused by that name", async (field, change) => {
  await expect(client.registerNode({ ...node(), ...change }, signed("RegisterNode"))).rejects.toMatchObject({
    code: grpc.status.INVALID_ARGUMENT,
    details: expect.stringContaining(field) as string,
  });
});

test("a heartbeat that repeats an old sequence is answered, and does not keep the node alive", async () => {
  const one = node();
  await client.registerNode(one, signed("RegisterNode"));
  await client.heartbeat({ ...one, sequence: 1n }, signed("Heartbeat"));
  await vi.waitFor(
    async () => {
      await client.heartbeat({ ...one, sequence: 1n }, signed("Heartbeat"));
      expect(await health(1)).toBe("suspect");
    },
    { timeout: 5_000 },
  );
});

test("a new controller on the same database knows the nodes and takes their heartbeats without a registration", async () => {
  const one = node();
  await client.registerNode(one, signed("RegisterNode"));
  const { port } = controller;
  await controller.stop();
  controller = await start(database.pool, port);
  expect(controller.hasHeard(1)).toBe(false);
  client.close();
  client = connect(controller);
  await client.heartbeat({ ...one, sequence: 1n }, signed("Heartbeat"));
  expect(controller.hasHeard(1)).toBe(true);
});

describe("two controllers on one database", () => {
  const times = { heartbeatIntervalMs: 1_000, downAfterMs: 3_000, leaseMs: 900 };
  let undo: AsyncDisposableStack;
  beforeEach(() => void (undo = new AsyncDisposableStack()));
  afterEach(() => undo.disposeAsync());

  async function also(pool: pg.Pool, leaseMs = times.leaseMs): Promise<Controller> {
    const another = await start(pool, 0, { ...times, leaseMs });
    undo.defer(() => another.stop());
    return another;
  }

  /** Three nodes that know both controllers. */
  async function threeNodes(...controllers: Controller[]): Promise<void> {
    for (const number of [1, 2, 3]) {
      const directory = await mkdtemp(join(tmpdir(), "holdfast-controllers-"));
      undo.defer(() => rm(directory, { recursive: true }));
      const leader = connectController(
        controllers.map(({ port }) => `127.0.0.1:${port}`),
        clusterKey,
      );
      undo.defer(() => leader.close());
      const registration = startRegistration({
        controller: leader,
        marker: await openIdentity(directory, "file"),
        node: { name: `node-${number}`, host: "127.0.0.1", port: 7_100 + number, zone: "", mac: "", version: "" },
        vitals: async () => ({ ...(await new MemoryChunkStore().stats()), ...VITALS }),
        logger,
      });
      undo.defer(() => registration.stop());
    }
    await vi.waitFor(() => heardBy(controllers[0]!), { timeout: 10_000 });
  }

  const heardBy = (one: Controller) => expect([1, 2, 3].map((id) => one.hasHeard(id))).toEqual([true, true, true]);
  const eventKinds = async () =>
    (await database.pool.query<{ kind: string }>("SELECT kind FROM event ORDER BY id")).rows.map(({ kind }) => kind);

  beforeEach(() => controller.stop()); // its lease is free then

  test("the leader is cut off from its database: the other takes over, no node is blamed, and nothing is told twice", async () => {
    const own = openDatabase(database.url, { onError: () => undefined });
    undo.defer(() => own.close());
    const first = await also(own.pool);
    const second = await also(database.pool);
    await threeNodes(first, second);
    expect(second.leadership.epoch()).toBeUndefined();
    const before = await eventKinds();

    const unreachable = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
    own.pool.query = () => Promise.reject(unreachable);
    own.pool.connect = () => Promise.reject(unreachable);
    await vi.waitFor(() => heardBy(second), { timeout: 10_000 });
    await delay(1.5 * times.downAfterMs); // long enough for anybody to be called down
    expect((await eventKinds()).slice(before.length)).toEqual(["leader.changed"]);
    expect((await database.pool.query("SELECT DISTINCT health FROM node")).rows).toEqual([{ health: "up" }]);
  });

  test("the leader stops: the other leads within a lease, and hears all nodes", async () => {
    const first = await also(database.pool);
    const second = await also(database.pool);
    await threeNodes(first, second);
    await first.stop();
    await vi.waitFor(() => heardBy(second), { timeout: 10_000 });
    expect(second.leadership.epoch()).toBe(3);
  });

  test("a leader that slept through its lease wakes up and finds every node silent: it changes nothing", async () => {
    const sleeper = await also(database.pool, 600_000);
    await database.pool.query("UPDATE lease SET expires_at = clock_timestamp()");
    const second = await also(database.pool, 600_000);
    await threeNodes(second);
    expect(sleeper.hasHeard(1)).toBe(false); // it believes that it leads
    await vi.waitFor(() => expect(sleeper.leadership.epoch()).toBeUndefined(), { timeout: 10_000 });
    expect(sleeper.hasHeard(1)).toBeUndefined();
    expect(sleeper.workers().map(({ state }) => state)).not.toContain("failing");
    expect((await eventKinds()).filter((kind) => kind === "node.suspect" || kind === "node.down")).toEqual([]);
  });

  test("a leader that loses the lease and gets it back begins anew: it holds nobody to what it did not hear meanwhile", async () => {
    const first = await also(database.pool);
    const caller = connect(first);
    undo.defer(() => caller.close());
    await caller.registerNode(node(), signed("RegisterNode"));
    expect(first.hasHeard(1)).toBe(true);
    await database.pool.query(
      "UPDATE lease SET epoch = epoch + 1, holder_id = gen_random_uuid(), expires_at = clock_timestamp() + interval '600 ms'",
    );
    await vi.waitFor(() => expect(first.hasHeard(1)).toBe(false), { timeout: 10_000 });
    expect(first.leadership.epoch()).toBe(4);
  });

  test("a controller that does not lead refuses calls as unavailable, so that nodes go on to the next", async () => {
    await also(database.pool);
    const second = await also(database.pool);
    const caller = connect(second);
    undo.defer(() => caller.close());
    const refused = { code: grpc.status.UNAVAILABLE, details: expect.stringContaining("Another controller leads") as string };
    await expect(caller.registerNode(node(), signed("RegisterNode"))).rejects.toMatchObject(refused);
    await expect(caller.heartbeat({ ...node(), sequence: 1n }, signed("Heartbeat"))).rejects.toMatchObject(refused);
  });
});

test("a port that is taken is one clear line that names the setting", async () => {
  await expect(start(database.pool, controller.port)).rejects.toThrow(/HOLDFAST_CONTROLLER_PORT/);
});

test("the database is stopped: calls are UNAVAILABLE and no node is blamed; it comes back: they go on", async () => {
  const directory = await mkdtemp(join(tmpdir(), "holdfast-controller-"));
  const options = { directory: join(directory, "postgres"), port: await freePort(), password: "test", onLog: () => undefined };
  let server = await startPostgres(options);
  await applyMigrations(server.url);
  const own = openDatabase(server.url, { connectTimeoutMs: 500, onError: () => undefined });
  const cut = await start(own.pool, 0, { heartbeatIntervalMs: 5_000, downAfterMs: 15_000 });
  const caller = connect(cut);
  try {
    const one = node();
    await caller.registerNode(one, signed("RegisterNode"));
    await server.stop();
    await expect(caller.heartbeat({ ...one, sequence: 1n }, signed("Heartbeat"))).rejects.toMatchObject({ code: grpc.status.UNAVAILABLE });
    await vi.waitFor(() => expect(cut.workers()[0]).toMatchObject({ name: "failure-detection", state: "failing" }), { timeout: 5_000 });

    server = await startPostgres(options);
    await vi.waitFor(() => caller.heartbeat({ ...one, sequence: 2n }, signed("Heartbeat")), { timeout: 5_000 });
    await vi.waitFor(() => expect(cut.workers()[0]!.state).toBe("running"), { timeout: 5_000 });
    expect((await own.pool.query("SELECT kind FROM event WHERE node_id IS NOT NULL")).rows).toEqual([{ kind: "node.registered" }]);
  } finally {
    caller.close();
    await cut.stop();
    await own.close();
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  }
});

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });
}
