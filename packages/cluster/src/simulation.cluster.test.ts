/** Faults ordered from the console, on real processes: each begins, is seen from outside, and ends by itself or on request. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { chunkIdOf } from "@holdfast/core/chunking";
import { MiB } from "@holdfast/core/kernel";
import { createNodeClients, type NodeClients } from "@holdfast/core/node-client";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { type Answer, type RandomFile, randomFile, startTestCluster, type TestCluster } from "./testing/index.ts";

interface ReportedNode {
  id: number;
  name: string;
  host: string;
  port: number;
  health: string;
  writable: boolean;
}

const HEARTBEATS = { HOLDFAST_HEARTBEAT_MS: "300", HOLDFAST_DOWN_AFTER_MS: "1500" };
const eventually = { timeout: 60_000, interval: 100 };
/** Longer than any test: what ends earlier was ended. */
const LONG = 600;

let cluster: TestCluster;
let clients: NodeClients;
beforeAll(async () => {
  cluster = await startTestCluster({ environment: HEARTBEATS });
  clients = createNodeClients({ clusterKey: cluster.clusterKey });
});
afterEach(async () => {
  for (const { name } of await nodes()) await order(name, "recover");
  await allUp();
});
afterAll(async () => {
  void clients.close(); // a paused node would keep it waiting
  await cluster.remove();
});

const nodes = async (): Promise<ReportedNode[]> => (await cluster.operator.get<{ nodes: ReportedNode[] }>("/api/cluster")).nodes;
const node = async (name: string): Promise<ReportedNode> => (await nodes()).find((one) => one.name === name)!;
const healthOf = async (name: string): Promise<string> => (await node(name)).health;
const allUp = (): Promise<void> =>
  vi.waitFor(async () => expect((await nodes()).filter(({ health }) => health !== "up" && health !== "slow")).toEqual([]), eventually);

async function order(name: string, what: "simulate" | "recover", body: object = {}): Promise<Answer> {
  return await cluster.operator.json("POST", `/api/cluster/nodes/${(await node(name)).id}/${what}`, body);
}

async function simulate(name: string, body: { fault: string; seconds: number; [more: string]: unknown }): Promise<void> {
  const answer = await order(name, "simulate", body);
  expect([answer.status, answer.body.toString()]).toEqual([200, expect.stringContaining(`"fault":"${body.fault}"`)]);
}

const bodyOf = ({ body }: Answer): unknown => JSON.parse(body.toString());

async function latestEvents(): Promise<{ kind: string; message: string }[]> {
  const input = encodeURIComponent(JSON.stringify({ json: { limit: 50 } }));
  const answer = await cluster.operator.get<{ result: { data: { json: { items: { kind: string; message: string }[] } } } }>(
    `/api/trpc/events.list?input=${input}`,
  );
  return answer.result.data.json.items;
}

/** Gateways are slow to trust a node again after a fault, and the third copy is written after the answer. */
async function uploadInThreeCopies(name: string): Promise<{ file: RandomFile; entryId: string }> {
  let attempt = 0;
  return await vi.waitFor(async () => {
    const file = randomFile(`${name} ${(attempt += 1)}`, 9 * MiB);
    const entryId = await cluster.owner.upload({ filename: `${name}.bin` }, file);
    await vi.waitFor(async () => expect(await cluster.owner.fewestCopies(entryId)).toBe(3), { timeout: 2_000, interval: 50 });
    return { file, entryId };
  }, eventually);
}

// First of all: what later tests damage for real could be somebody's last copy.
test("two nodes away: the third holds last copies, so it stays as it is, and the attempt is on record", async () => {
  await uploadInThreeCopies("last");
  await simulate("node-1", { fault: "pause", seconds: LONG });
  const corrupt = await order("node-2", "simulate", { fault: "corrupt", seconds: LONG });
  expect([corrupt.status, bodyOf(corrupt)]).toEqual([
    409,
    expect.objectContaining({
      error: "simulation.last_copy",
      message: expect.stringContaining("no chunk has two other good copies") as string,
    }),
  ]);
  await simulate("node-2", { fault: "kill", seconds: LONG });
  for (const fault of ["kill", "pause", "partition"]) {
    const refused = await order("node-3", "simulate", { fault, seconds: LONG });
    expect([refused.status, bodyOf(refused)]).toEqual([
      409,
      expect.objectContaining({
        error: "simulation.last_copy",
        chunks: expect.any(Number) as number,
        message: expect.stringMatching(/^node-3 holds the only copy of \d+ chunks within reach/) as string,
      }),
    ]);
  }
  expect(await healthOf("node-3")).toBe("up");
  const refusals = (await latestEvents()).filter(({ kind }) => kind === "fault.refused");
  expect(refusals[0]!.message).toMatch(/ asked for node-3 to be cut off from the network for 600 s\. Refused: node-3 holds the only copy/);
});

describe.each(["kill", "pause", "partition"])("%s", (fault) => {
  test("the node counts as down and reading goes on, until somebody ends it", async () => {
    const { file, entryId } = await uploadInThreeCopies(`read through ${fault}`);
    await simulate("node-2", { fault, seconds: LONG });
    await vi.waitFor(async () => expect(await healthOf("node-2")).toBe("down"), eventually);
    expect(await cluster.owner.downloadHash(entryId)).toBe(file.sha256());
    expect((await order("node-2", "recover")).status).toBe(200);
    await allUp();
    expect((await latestEvents()).map(({ message }) => message)).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/ simulated: node-2 (killed|paused|cut off from the network) for 600 s\.$/),
        expect.stringMatching(/ ended what was simulated on node-2\.$/),
      ]),
    );
  });

  test("it ends by itself", async () => {
    await simulate("node-3", { fault, seconds: 6 });
    await vi.waitFor(async () => expect(await healthOf("node-3")).not.toBe("up"), eventually);
    await allUp();
  });
});

test("slow: each chunk of the node takes longer", async () => {
  const { file } = await uploadInThreeCopies("slow");
  const store = clients.clientFor(await node("node-2"));
  const chunk = chunkIdOf(file.bytes(0, 4 * MiB));
  await simulate("node-2", { fault: "slow", seconds: LONG, latencyMs: 700 });
  const startedAtMs = performance.now();
  await store.get(chunk);
  expect(performance.now() - startedAtMs).toBeGreaterThan(690);
});

test("disk full: the node says so, uploads go on with the other two, and it takes chunks again afterwards", async () => {
  await simulate("node-2", { fault: "disk-full", seconds: LONG });
  await vi.waitFor(async () => expect((await node("node-2")).writable).toBe(false), eventually);
  const file = randomFile("full", 5 * MiB);
  const entryId = await cluster.owner.upload({ filename: "full.bin" }, file);
  expect(await cluster.owner.downloadHash(entryId)).toBe(file.sha256());
  await order("node-2", "recover");
  await vi.waitFor(async () => expect((await node("node-2")).writable).toBe(true), eventually);
});

test("corrupt: the damaged copies are found, and nobody downloads a wrong byte", async () => {
  const { file, entryId } = await uploadInThreeCopies("damaged");
  await simulate("node-2", { fault: "corrupt", seconds: LONG, chunks: 3 });
  const address = await node("node-2");
  const [fault] = await clients.commandsFor(address).simulated();
  expect(fault!.ids).toHaveLength(3);
  await expect(clients.clientFor(address).get(fault!.ids![0]!)).rejects.toMatchObject({ code: "chunk.corrupt" });
  for (let reading = 0; reading < 3; reading += 1) expect(await cluster.owner.downloadHash(entryId)).toBe(file.sha256());
});

test("clone: a second process on a copy of the disk is turned away, the node itself goes on, and nothing is left of the copy", async () => {
  const before = await node("node-2");
  await simulate("node-2", { fault: "clone", seconds: LONG });
  const log = join(cluster.dataDirectory, "logs/node-2-clone.log");
  await vi.waitFor(() => expect(readFileSync(log, "utf8")).toContain("already runs at"), eventually);
  expect(await node("node-2")).toMatchObject({ id: before.id, port: before.port, health: "up" });
  await order("node-2", "recover");
  expect(readdirSync(join(cluster.dataDirectory, "clones"))).toEqual([]);
});

test("the console is killed while a fault is on: it ends by itself all the same", async () => {
  await simulate("node-2", { fault: "kill", seconds: 6 });
  process.kill(cluster.console.pid!, "SIGKILL");
  await vi.waitFor(() => expect(cluster.nodes[1]!.pid).toBeDefined(), eventually);
  await vi.waitFor(async () => expect((await cluster.operator.send("GET", "/api/health")).status).toBe(200), eventually);
  await allUp();
});

test("a node is added while the cluster runs, and serves", async () => {
  const answer = await cluster.operator.json("POST", "/api/trpc/simulation.add", {});
  expect([answer.status, answer.body.toString()]).toEqual([200, expect.stringContaining('"name":"node-4"')]);
  await vi.waitFor(async () => expect((await nodes()).map(({ name }) => name)).toContain("node-4"), eventually);
  await allUp();
  expect(JSON.parse(readFileSync(join(cluster.dataDirectory, "nodes.json"), "utf8"))).toMatchObject({ count: 4 });
});

test("the cluster is stopped with faults of every process kind on: nothing of it goes on", async () => {
  const another = await startTestCluster({ environment: HEARTBEATS });
  const operate = (id: number, fault: string) =>
    another.operator.json("POST", `/api/cluster/nodes/${id}/simulate`, { fault, seconds: LONG }).then(({ status }) => status);
  try {
    await vi.waitFor(
      async () => expect((await another.operator.get<{ nodes: ReportedNode[] }>("/api/cluster")).nodes).toHaveLength(3),
      eventually,
    );
    expect([await operate(1, "pause"), await operate(2, "clone"), await operate(3, "kill")]).toEqual([200, 200, 200]);
    const pids = another.nodes.flatMap(({ pid }) => pid ?? []);
    await another.stop();
    expect(pids.filter((pid) => existsSync(`/proc/${pid}`))).toEqual([]);
    expect(readdirSync(join(another.dataDirectory, "clones"))).toEqual([]);
  } finally {
    await another.remove();
  }
});

test("switched off: the console refuses, and so does the node itself", async () => {
  const off = await startTestCluster({ environment: { ...HEARTBEATS, HOLDFAST_SIMULATE_FAULTS: "0" } });
  const direct = createNodeClients({ clusterKey: off.clusterKey });
  try {
    const [first] = await vi.waitFor(async () => {
      const { nodes: found } = await off.operator.get<{ nodes: ReportedNode[] }>("/api/cluster");
      expect(found).toHaveLength(3);
      return found;
    }, eventually);
    const answer = await off.operator.json("POST", `/api/cluster/nodes/${first!.id}/simulate`, { fault: "kill", seconds: 1 });
    expect([answer.status, bodyOf(answer)]).toEqual([
      403,
      expect.objectContaining({ error: "simulation.off", message: expect.stringContaining("HOLDFAST_SIMULATE_FAULTS=1") as string }),
    ]);
    await expect(direct.commandsFor(first!).simulate({ kind: "disk-full", seconds: 1 })).rejects.toThrow("answered 403");
  } finally {
    await direct.close();
    await off.remove();
  }
});
