import { randomBytes } from "node:crypto";
import { createTestDatabase, type TestDatabase } from "@holdfast/db/testing";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { chunkIdOf, chunkIdToBytes } from "../chunking/index.ts";
import { createStoredCluster, type StoredCluster } from "../testing/index.ts";
import { createReplicaReports, type RecordReplicas } from "./stored-replicas.ts";

let database: TestDatabase;
let cluster: StoredCluster;
let record: RecordReplicas;
beforeAll(async () => void (database = await createTestDatabase()));
afterAll(() => database.drop());
beforeEach(async () => {
  cluster = await createStoredCluster(database, 4);
  record = createReplicaReports({ pool: database.pool, leadership: cluster.leadership, clients: cluster.nodes.clients });
});
afterEach(() => cluster.stop());

const replicasOf = async (id: Parameters<StoredCluster["row"]>[0]) => (await cluster.row(id))?.replicas;

test("a copy that the node reads back is put on record; said twice, it is there once", async () => {
  const id = await cluster.keep({ replicas: [1, 2], on: [1, 2, 3] });
  for (let time = 0; time < 2; time++) {
    expect(await record([{ chunkId: id, nodeId: 3 }])).toEqual([{ chunkId: id, nodeId: 3, recorded: true, refusal: "" }]);
  }
  expect(await replicasOf(id)).toEqual([1, 2, 3]);
});

test("a copy is not believed because somebody says so: the node has none, a damaged one, or does not answer", async () => {
  const id = await cluster.keep({ replicas: [1], on: [1, 3, 4] });
  cluster.node(3).store.chunks.get(id)![0]! ^= 1;
  cluster.node(4).fault = "unreachable";
  const verdicts = await record([2, 3, 4].map((nodeId) => ({ chunkId: id, nodeId })));
  expect(verdicts.map(({ recorded, refusal }) => [recorded, refusal])).toEqual([
    [false, "chunk.not_found"],
    [false, "chunk.corrupt"],
    [false, "store.unreachable"],
  ]);
  expect(await replicasOf(id)).toEqual([1]);
});

test("an unknown chunk or node among them: refused, and the others are not recorded either", async () => {
  const id = await cluster.keep({ replicas: [1], on: [1, 2] });
  const unknown = chunkIdOf(randomBytes(10));
  const good = { chunkId: id, nodeId: 2 };
  await expect(record([good, { chunkId: unknown, nodeId: 2 }])).rejects.toMatchObject({ code: "chunk.unknown" });
  await expect(record([good, { chunkId: id, nodeId: 77 }])).rejects.toMatchObject({ code: "node.unknown" });
  await database.pool.query("UPDATE node SET intent = 'removed' WHERE id = 2");
  await expect(record([good])).rejects.toMatchObject({ code: "node.unknown" });
  expect(await replicasOf(id)).toEqual([1]);
});

test("a chunk on its way out stays on its way out", async () => {
  const id = await cluster.keep({ replicas: [1], on: [1, 2], referred: false });
  await database.pool.query("UPDATE chunk SET state = 'condemned', condemned_at = now() WHERE id = $1", [chunkIdToBytes(id)]);
  expect(await record([{ chunkId: id, nodeId: 2 }])).toMatchObject([{ recorded: false, refusal: "chunk.not_live" }]);
  expect(await cluster.row(id)).toMatchObject({ state: "condemned", replicas: [1] });
});

test("a copy that a node may be about to trash is no proof", async () => {
  const id = await cluster.keep({ replicas: [1, 3], on: [1, 2, 3] });
  await database.pool.query("UPDATE chunk SET trashing_until = clock_timestamp() + interval '1 minute' WHERE id = $1", [
    chunkIdToBytes(id),
  ]);
  expect(await record([{ chunkId: id, nodeId: 2 }])).toMatchObject([{ recorded: false, refusal: "chunk.not_live" }]);
  expect(await replicasOf(id)).toEqual([1, 3]);
});

test("whoever does not lead records nothing", async () => {
  const id = await cluster.keep({ replicas: [1], on: [1, 2] });
  await cluster.leadership.stop();
  await expect(record([{ chunkId: id, nodeId: 2 }])).rejects.toMatchObject({ code: "leader.not_us" });
  expect(await replicasOf(id)).toEqual([1]);
});
