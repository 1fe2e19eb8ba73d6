import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Controller, startController } from "@holdfast/core/controller";
import { createLogger, SECOND_MS } from "@holdfast/core/kernel";
import { createTestDatabase, type TestDatabase } from "@holdfast/db/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CLUSTER_KEY, joinedDirectory, spawnNode } from "./testing/index.ts";

let database: TestDatabase;
let controller: Controller;
let data: string;
beforeAll(async () => {
  data = mkdtempSync(join(tmpdir(), "holdfast-node-"));
  database = await createTestDatabase();
  controller = await startController({
    pool: database.pool,
    clusterKey: CLUSTER_KEY,
    bind: "127.0.0.1",
    port: 0,
    heartbeatIntervalMs: SECOND_MS,
    downAfterMs: 3 * SECOND_MS,
    logger: createLogger("test", "silent"),
  });
});
afterAll(async () => {
  await controller.stop();
  await database.drop();
  rmSync(data, { recursive: true });
});

const start = (name: string) =>
  spawnNode(join(data, name), { HOLDFAST_CONTROLLER_ADDRESS: `127.0.0.1:${controller.port}`, HOLDFAST_NODE_ZONE: "cellar" });

test("a new node joins, and takes chunks from then on", async () => {
  const node = await start("new");
  await expect.poll(async () => (await fetch(`http://127.0.0.1:${node.port}/health`)).status).toBe(200);
  const { rows } = await database.pool.query("SELECT id, name, port, zone, health FROM node");
  expect(rows).toEqual([{ id: 1, name: "node-1", port: node.port, zone: "cellar", health: "up" }]);
  expect(JSON.parse(readFileSync(join(data, "new/nodes/node-1/holdfast-node.json"), "utf8"))).toMatchObject({ nodeId: 1 });
  expect(await node.kill("SIGTERM")).toBe(0);
});

test("a disk of another cluster: the process says so and leaves with 1", async () => {
  await joinedDirectory(join(data, "foreign"));
  const node = await start("foreign");
  expect(await node.exited).toBe(1);
  expect(node.log()).toContain("belongs to another cluster");
});
