/** What programs ask the controller, over gRPC. */
import { randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import * as grpc from "@grpc/grpc-js";
import { inTransaction } from "@holdfast/db";
import { createTestDatabase, type TestDatabase } from "@holdfast/db/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type ChunkId, chunkIdOf, chunkIdToBytes } from "../chunking/index.ts";
import { GiB, createLogger, limits } from "../kernel/index.ts";
import { ControllerService, createServiceClient, type ServiceClient } from "../protocol/index.ts";
import { signRequest } from "../request-signing/index.ts";
import { type Controller, startController } from "./index.ts";

const clusterKey = randomBytes(32).toString("hex");
const METHODS = ["getUploadPlan", "reportChunkStored", "getFileMetadata"] as const;
const LONG_MS = 600_000;

let database: TestDatabase;
let controller: Controller;
let client: ServiceClient<typeof ControllerService>;
/** Answers every verification with "whole". */
let node: Server;

beforeAll(async () => {
  database = await createTestDatabase();
  node = createServer((req, res) => res.end(req.url!.endsWith("/verify") ? '{"length":10}' : "{}")).listen(0, "127.0.0.1");
  await once(node, "listening");
  controller = await startController({
    pool: database.pool,
    clusterKey,
    bind: "127.0.0.1",
    port: 0,
    heartbeatIntervalMs: LONG_MS,
    downAfterMs: 3 * LONG_MS,
    logger: createLogger("test", "silent"),
  });
  client = createServiceClient(ControllerService, `127.0.0.1:${controller.port}`, grpc.credentials.createInsecure());
});
afterAll(async () => {
  client.close();
  await controller.stop();
  node.closeAllConnections();
  node.close();
  await database.drop();
});
beforeEach(async () => {
  await database.pool.query(`TRUNCATE node, chunk, extent, version, drive, "user" RESTART IDENTITY CASCADE`);
  await addNodes(3);
});

function signed(method: (typeof METHODS)[number], key = clusterKey): { metadata: grpc.Metadata; deadline: Date } {
  const metadata = new grpc.Metadata();
  const path = `/holdfast.v1.ControllerService/${ControllerService.method[method].name}`;
  for (const [name, value] of Object.entries(signRequest(key, { method: "GRPC", path }))) metadata.set(name, value);
  return { metadata, deadline: new Date(Date.now() + 10_000) };
}

async function addNodes(count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    await database.pool.query(
      `INSERT INTO node (identity, name, host, port, boot_id, health, capacity_bytes, free_bytes, grpc_port)
       VALUES ($1, $2, '127.0.0.1', $3, $4, 'up', $5, $5, 7201)`,
      [randomUUID(), `node-${index}`, (node.address() as AddressInfo).port, randomUUID(), 100 * GiB],
    );
  }
}

async function addChunk(replicas: number[]): Promise<ChunkId> {
  const id = chunkIdOf(randomBytes(10));
  await database.pool.query("INSERT INTO chunk (id, length, replicas) VALUES ($1, 10, $2)", [chunkIdToBytes(id), replicas]);
  return id;
}

/** A committed version of these chunks, 10 bytes each, one after the other. */
async function addVersion(chunks: readonly ChunkId[], committed = true): Promise<string> {
  const versionId = randomUUID();
  const driveId = randomUUID();
  await inTransaction(database.pool, async (tx) => {
    await tx.query(`INSERT INTO "user" (id, name, email) VALUES ($1, '', $1)`, [driveId]);
    await tx.query("INSERT INTO drive (id, owner_id) VALUES ($1, $2)", [driveId, driveId]);
    await tx.query("INSERT INTO version (id, drive_id, size_bytes) VALUES ($1, $2, $3)", [versionId, driveId, chunks.length * 10]);
    await tx.query(
      `INSERT INTO extent (version_id, "offset", length, chunk_id) SELECT $1, (n - 1) * 10, 10, id FROM unnest($2::bytea[]) WITH ORDINALITY AS c (id, n)`,
      [versionId, chunks.map(chunkIdToBytes)],
    );
    if (!committed) return;
    await tx.query("INSERT INTO entry (id, drive_id, kind, name) VALUES ($1, $1, 'folder', '')", [driveId]);
    await tx.query("UPDATE version SET state = 'committed', entry_id = $2 WHERE id = $1", [versionId, driveId]);
  });
  return versionId;
}

const errorOf = ({ code, metadata }: grpc.ServiceError) => [grpc.status[code], metadata.get("holdfast-error")[0]];
const refusalOf = (call: Promise<unknown>) => call.then(() => expect.unreachable(), errorOf);

test("a plan names as many nodes for each chunk as it shall have copies, where they are, and who holds it already", async () => {
  const known = await addChunk([1, 3]);
  const fresh = chunkIdOf(randomBytes(10));
  const plan = await client.getUploadPlan(
    {
      chunks: [
        { id: fresh, length: limits.chunkBytesMax },
        { id: known, length: 10 },
      ],
    },
    signed("getUploadPlan"),
  );
  expect(plan.writeQuorum).toBe(limits.writeQuorum);
  expect(plan.chunks.map(({ id, nodeIds, heldBy }) => [id, nodeIds.toSorted((one, other) => one - other), heldBy])).toEqual([
    [fresh, [1, 2, 3], []],
    [known, [1, 2, 3], [1, 3]],
  ]);
  expect(plan.nodes).toMatchObject([1, 2, 3].map((nodeId) => ({ nodeId, host: "127.0.0.1", grpcPort: 7201 })));
});

test("too few nodes for a write to count: UNAVAILABLE, and no plan that cannot work", async () => {
  await database.pool.query("UPDATE node SET health = 'down' WHERE id > 1");
  const call = client.getUploadPlan({ chunks: [{ id: chunkIdOf(randomBytes(10)), length: 10 }] }, signed("getUploadPlan"));
  expect(await refusalOf(call)).toEqual(["UNAVAILABLE", "cluster.too_few_nodes"]);
});

test("a reported copy is read back, and then on record", async () => {
  const chunkId = await addChunk([1, 2]);
  const answer = await client.reportChunkStored({ replicas: [{ chunkId, nodeId: 3 }] }, signed("reportChunkStored"));
  expect(answer.verdicts).toMatchObject([{ chunkId, nodeId: 3, recorded: true }]);
  const { rows } = await database.pool.query("SELECT replicas FROM chunk");
  expect(rows).toEqual([{ replicas: [1, 2, 3] }]);
});

test("a copy of a chunk or on a node that nobody knows is refused: NOT_FOUND", async () => {
  const chunkId = await addChunk([1, 2]);
  const report = (replica: { chunkId: string; nodeId: number }) =>
    refusalOf(client.reportChunkStored({ replicas: [replica] }, signed("reportChunkStored")));
  expect(await report({ chunkId: "0".repeat(64), nodeId: 1 })).toEqual(["NOT_FOUND", "chunk.unknown"]);
  expect(await report({ chunkId, nodeId: 9 })).toEqual(["NOT_FOUND", "node.unknown"]);
});

test("a version's extents join without a gap, page by page, with the nodes of each chunk", async () => {
  const chunks = [await addChunk([1, 2]), await addChunk([2, 3])];
  const count = limits.listPageMax + 5;
  const versionId = await addVersion(Array.from({ length: count }, (_, index) => chunks[index % 2]!));
  const first = await client.getFileMetadata({ versionId }, signed("getFileMetadata"));
  expect(first).toMatchObject({ versionId, sizeBytes: BigInt(count * 10), nextOffset: BigInt(limits.listPageMax * 10) });
  expect(first.extents[1]).toMatchObject({ offset: 10n, length: 10, chunkId: chunks[1], nodeIds: [2, 3] });
  expect(first.nodes.map(({ nodeId }) => nodeId)).toEqual([1, 2, 3]);
  const rest = await client.getFileMetadata({ versionId, fromOffset: first.nextOffset }, signed("getFileMetadata"));
  expect(rest.extents).toHaveLength(5);
  expect(rest.nextOffset).toBe(rest.sizeBytes);
  const offsets = [...first.extents, ...rest.extents].map(({ offset }) => Number(offset));
  expect(offsets).toEqual(Array.from({ length: count }, (_, index) => index * 10));
});

test("a version that nobody knows, or that is still being uploaded, is NOT_FOUND", async () => {
  const ask = (versionId: string) => refusalOf(client.getFileMetadata({ versionId }, signed("getFileMetadata")));
  expect(await ask(randomUUID())).toEqual(["NOT_FOUND", "version.unknown"]);
  expect(await ask(await addVersion([await addChunk([1])], false))).toEqual(["NOT_FOUND", "version.unknown"]);
});

describe.each(METHODS)("%s", (method) => {
  const call = (options: ReturnType<typeof signed>, request: object = {}) => client[method](request, options);

  test("lets nobody in without a signature, with another cluster's key, or twice with the same", async () => {
    const refused = ["UNAUTHENTICATED", "call.unauthenticated"];
    expect(await refusalOf(call({ ...signed(method), metadata: new grpc.Metadata() }))).toEqual(refused);
    expect(await refusalOf(call(signed(method, "another key")))).toEqual(refused);
    const captured = signed(method);
    expect(await refusalOf(call(captured))).toEqual(["INVALID_ARGUMENT", "call.invalid"]);
    expect(await refusalOf(call(captured))).toEqual(refused);
  });

  const ID = "0".repeat(64);
  test.each([
    {},
    { chunks: [{ id: "../x", length: 1 }], replicas: [{ chunkId: "../x", nodeId: 1 }], versionId: "../x" },
    { chunks: [{ id: ID, length: 0 }], replicas: [{ chunkId: ID, nodeId: 0 }], versionId: "" },
    { chunks: [{ id: ID, length: 2 ** 31 }], replicas: [{ chunkId: ID, nodeId: 2 ** 31 }], versionId: ID },
    {
      chunks: Array.from({ length: 1_001 }, () => ({ id: ID, length: 1 })),
      replicas: Array.from({ length: 65 }, () => ({ chunkId: ID, nodeId: 1 })),
      versionId: randomUUID(),
      fromOffset: 2n ** 60n,
    },
  ])("names what is impossible: INVALID_ARGUMENT", async (request) => {
    expect(await refusalOf(call(signed(method), request))).toEqual(["INVALID_ARGUMENT", "call.invalid"]);
  });
});
