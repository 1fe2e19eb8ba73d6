/** What a rehearsal may not do, and who reads of it afterwards. Real database; nodes and supervisor that can be told to fail. */
import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { createTestDatabase, type TestDatabase } from "@holdfast/db/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type ChunkId, chunkIdFromBytes, chunkIdToBytes } from "../chunking/index.ts";
import { listEvents } from "../events/index.ts";
import {
  type ActiveFault,
  createFaultSimulation,
  type FaultSimulation,
  type FaultSimulationOptions,
  type NodeFault,
  type ProcessAddress,
  type ProcessFault,
  SimulationError,
} from "./index.ts";

const ADA = { userId: "ada" };
const SECONDS = 60;
const PORT = 7100;

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  await database.pool.query(`INSERT INTO "user" (id, name, email) VALUES ('ada', 'ada', 'ada@example.test')`);
});
afterAll(() => database.drop());

/** What a node is asked to do, and what it answers. */
class Node {
  reachable = true;
  /** A partition leaves the way open that ends it. */
  cutOff = false;
  faults: ActiveFault[] = [];
  readonly rotten = new Set<ChunkId>();
  readonly done: (NodeFault | "recover")[] = [];
  refusal: Error | undefined;

  async stats() {
    if (this.cutOff) throw new Error("cut off");
    return this.#reached({} as never);
  }
  async simulated() {
    return this.#reached(this.faults);
  }
  async verify(id: ChunkId) {
    if (this.rotten.has(id)) throw new Error("chunk.corrupt");
    return this.#reached(undefined);
  }
  async simulate(fault: NodeFault) {
    if (this.refusal !== undefined) throw this.refusal;
    this.done.push(fault);
  }
  async recover() {
    this.#reached(undefined);
    this.done.push("recover");
  }

  #reached<T>(answer: T): T {
    if (!this.reachable) throw new Error("it does not answer");
    return answer;
  }
}

let nodes: Node[];
let processFaults: { node: number; fault: ProcessFault }[];
let processRefusal: Error | undefined;
let killingTakesMs: number;
let added: number;
let retired: [number: number, name: string][];
beforeEach(async () => {
  nodes = Array.from({ length: 4 }, () => new Node());
  processFaults = [];
  processRefusal = undefined;
  killingTakesMs = 0;
  added = 0;
  retired = [];
  await database.pool.query("TRUNCATE node, chunk, event RESTART IDENTITY CASCADE");
  await database.pool.query(
    `INSERT INTO node (identity, name, host, port, boot_id, health)
     SELECT gen_random_uuid(), 'node-' || number, '127.0.0.1', $1 + number, gen_random_uuid(), 'up' FROM generate_series(1, 4) number`,
    [PORT],
  );
});

const nodeAt = (id: number): Node => nodes[id - 1]!;
const numberOf = ({ port }: ProcessAddress): number => port - PORT;

function simulation(changes: Partial<FaultSimulationOptions> = {}): FaultSimulation {
  return createFaultSimulation({
    pool: database.pool,
    allowed: true,
    nodes: { clientFor: ({ id }) => nodeAt(id), commandsFor: ({ id }) => nodeAt(id) },
    supervisor: {
      async simulate(node, fault) {
        if (processRefusal !== undefined) throw processRefusal;
        await delay(killingTakesMs);
        processFaults.push({ node: numberOf(node), fault });
        if (fault.kind !== "clone") nodeAt(numberOf(node)).reachable = false;
      },
      async recover(node) {
        processFaults = processFaults.filter((one) => one.node !== numberOf(node));
      },
      active: async () =>
        processFaults.map(({ node, fault }) => ({ kind: fault.kind, until: new Date(0), host: "127.0.0.1", port: PORT + node })),
      addNode: async () => ({ name: `node-${5 + added++}`, port: 1 }),
      retireNode: async (node, name) => void retired.push([numberOf(node), name]),
    },
    ...changes,
  });
}

async function chunkOn(...replicas: number[]): Promise<ChunkId> {
  const id = chunkIdFromBytes(randomBytes(32));
  await database.pool.query("INSERT INTO chunk (id, length, replicas) VALUES ($1, 1, $2)", [chunkIdToBytes(id), replicas]);
  return id;
}

const events = async () =>
  (await listEvents(database.pool, { limit: 10 })).items.map(({ kind, message, nodeId }) => ({ kind, message, nodeId }));
const LAST_COPY = { code: "simulation.last_copy" };
const goneFrom = (kind: "kill" | "pause" | "partition") => ({ kind, seconds: SECONDS });

describe.each(["kill", "pause", "partition"] as const)("%s", (kind) => {
  test("a node whose chunks others have too: done, and recorded with who did it", async () => {
    await chunkOn(1, 2, 3);
    const { until } = await simulation().simulate(ADA, 2, goneFrom(kind));
    expect(Math.abs(until.getTime() - Date.now() - SECONDS * 1_000)).toBeLessThan(30_000);
    expect(kind === "partition" ? nodeAt(2).done : processFaults.map(({ fault }) => fault)).toEqual([{ kind, seconds: SECONDS }]);
    const words = { kill: "killed", pause: "paused", partition: "cut off from the network" }[kind];
    expect(await events()).toEqual([{ kind: "fault.simulated", message: `ada simulated: node-2 ${words} for 60 s.`, nodeId: 2 }]);
  });

  test("a node that holds the only copy of two chunks: refused with their number, nothing done, and the attempt recorded", async () => {
    await Promise.all([chunkOn(2), chunkOn(2), chunkOn(1, 2, 3)]);
    await expect(simulation().simulate(ADA, 2, goneFrom(kind))).rejects.toMatchObject({
      ...LAST_COPY,
      message: expect.stringContaining("node-2 holds the only copy of 2 chunks within reach") as string,
      details: { chunks: 2 },
    });
    expect([processFaults, nodeAt(2).done]).toEqual([[], []]);
    expect(await events()).toMatchObject([
      { kind: "fault.refused", message: expect.stringMatching(/^ada asked for node-2 .* Refused: /) as string },
    ]);
  });

  test("the others that have its chunks are called up, but do not answer: refused", async () => {
    await chunkOn(1, 2, 3);
    nodeAt(1).reachable = false;
    nodeAt(3).cutOff = true;
    await expect(simulation().simulate(ADA, 2, goneFrom(kind))).rejects.toMatchObject(LAST_COPY);
  });

  test("the only other copy is one that was damaged on purpose: refused", async () => {
    const [, damaged] = [await chunkOn(1, 2, 3), await chunkOn(1, 2)];
    await simulation().simulate(ADA, 3, goneFrom(kind)); // 3 is not asked to hold it
    nodeAt(1).faults = [{ kind: "corrupt", until: new Date(), ids: [damaged] }];
    await expect(simulation().simulate(ADA, 2, goneFrom(kind))).rejects.toMatchObject({ ...LAST_COPY, details: { chunks: 1 } });
  });
});

test("two nodes are killed at once, and each looked harmless by itself: the second is refused", async () => {
  await chunkOn(1, 2);
  killingTakesMs = 300; // until then it answers
  const faults = simulation();
  const outcomes = await Promise.allSettled([1, 2].map((id) => faults.simulate(ADA, id, { kind: "kill", seconds: SECONDS })));
  expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
  expect(processFaults).toHaveLength(1);
});

test("a chunk on its way out is nobody's last copy", async () => {
  const id = await chunkOn(2);
  await database.pool.query("UPDATE chunk SET state = 'condemned', condemned_at = now() WHERE id = $1", [chunkIdToBytes(id)]);
  await simulation().simulate(ADA, 2, { kind: "kill", seconds: SECONDS });
  expect(processFaults).toHaveLength(1);
});

describe("corrupt", () => {
  const corrupt = (chunks: number) => simulation().simulate(ADA, 2, { kind: "corrupt", seconds: SECONDS, chunks });
  const damaged = (): ChunkId[] => nodeAt(2).done.flatMap((fault) => (fault !== "recover" && fault.kind === "corrupt" ? fault.ids : []));

  test("only chunks that were read whole on the node and on two others are damaged", async () => {
    const safe = [await chunkOn(1, 2, 3), await chunkOn(2, 3, 4)];
    await Promise.all([chunkOn(2), chunkOn(2, 3), chunkOn(1, 3, 4)]);
    const rottenHere = await chunkOn(1, 2, 3);
    nodeAt(2).rotten.add(rottenHere);
    await expect(corrupt(3)).rejects.toMatchObject({ details: { possible: 2 } });
    await corrupt(2);
    expect(damaged().toSorted()).toEqual(safe.toSorted());
    expect((await events())[0]).toMatchObject({ message: "ada simulated: node-2 damaged in 2 of its chunks for 60 s." });
  });

  test.each<[string, (id: ChunkId) => void]>([
    ["rotten on its own disk", (id) => nodeAt(3).rotten.add(id)],
    ["on a node that does not answer", () => (nodeAt(3).reachable = false)],
    ["damaged on purpose", (id) => (nodeAt(3).faults = [{ kind: "corrupt", until: new Date(), ids: [id] }])],
  ])("one of the two other copies is %s: refused, and nothing damaged", async (_where, spoil) => {
    spoil(await chunkOn(1, 2, 3));
    await expect(corrupt(1)).rejects.toMatchObject({
      ...LAST_COPY,
      message: expect.stringContaining(
        "On node-2, no chunk has two other good copies within reach, and 1 chunk should be damaged.",
      ) as string,
    });
    expect(damaged()).toEqual([]);
  });

  test("fewer than asked for: none is damaged, and the words say how many could be", async () => {
    await Promise.all([chunkOn(1, 2, 3), chunkOn(1, 2, 3), chunkOn(1, 2)]);
    await expect(corrupt(3)).rejects.toMatchObject({ ...LAST_COPY, details: { chunks: 1, possible: 2 } });
    expect(damaged()).toEqual([]);
  });
});

test("slow and disk-full take nothing away, so even the holder of last copies may have them", async () => {
  await chunkOn(2);
  await simulation().simulate(ADA, 2, { kind: "slow", seconds: SECONDS, latencyMs: 200 });
  await simulation().simulate(ADA, 2, { kind: "disk-full", seconds: SECONDS });
  expect(nodeAt(2).done).toMatchObject([{ kind: "slow", latencyMs: 200 }, { kind: "disk-full" }]);
});

test("the clone of a node that is down would be taken for the node: refused", async () => {
  await database.pool.query("UPDATE node SET health = 'down' WHERE id = 2");
  await expect(simulation().simulate(ADA, 2, { kind: "clone", seconds: SECONDS })).rejects.toMatchObject({ code: "simulation.conflict" });
  await simulation().simulate(ADA, 1, { kind: "clone", seconds: SECONDS });
  expect(processFaults).toMatchObject([{ node: 1 }]);
});

test("outside the embedded cluster processes are left alone, and what a node does to itself is not", async () => {
  const alone = simulation({ supervisor: undefined });
  for (const kind of ["kill", "pause", "clone"] as const) {
    await expect(alone.simulate(ADA, 2, { kind, seconds: SECONDS })).rejects.toMatchObject({
      code: "simulation.only_embedded",
      message: expect.stringContaining("only in the embedded cluster") as string,
    });
  }
  await expect(alone.addNode(ADA)).rejects.toMatchObject({ code: "simulation.only_embedded" });
  await alone.simulate(ADA, 2, { kind: "partition", seconds: SECONDS });
  await alone.recover(ADA, 2);
  expect(nodeAt(2).done).toMatchObject([{ kind: "partition" }, "recover"]);
});

test("switched off: refused before anybody is asked, with the setting's name", async () => {
  const off = simulation({ allowed: false });
  const refusal = { code: "simulation.off", message: expect.stringContaining("HOLDFAST_SIMULATE_FAULTS=1") as string };
  await expect(off.simulate(ADA, 2, { kind: "kill", seconds: SECONDS })).rejects.toMatchObject(refusal);
  await expect(off.recover(ADA, 2)).rejects.toMatchObject(refusal);
  expect(await off.status()).toEqual({ allowed: false, embedded: true, faults: [] });
  expect(processFaults).toEqual([]);
});

test("a node that never was, or was removed, is said not to be there", async () => {
  await database.pool.query("UPDATE node SET intent = 'removed' WHERE id = 4");
  for (const id of [4, 99]) {
    await expect(simulation().simulate(ADA, id, { kind: "disk-full", seconds: SECONDS })).rejects.toMatchObject({
      code: "simulation.no_such_node",
    });
  }
});

test("what the node or the supervisor did not do is told in their words, and recorded", async () => {
  nodeAt(2).refusal = new Error("no answer");
  await expect(simulation().simulate(ADA, 2, { kind: "disk-full", seconds: SECONDS })).rejects.toMatchObject({ code: "simulation.failed" });
  processRefusal = new SimulationError("simulation.conflict", "node-2 is under a simulated fault already.");
  await expect(simulation().simulate(ADA, 2, { kind: "kill", seconds: SECONDS })).rejects.toMatchObject({ code: "simulation.conflict" });
  const [latest, , before] = await events();
  expect(latest).toMatchObject({
    kind: "fault.failed",
    message: "node-2 was not killed for 60 s: node-2 is under a simulated fault already.",
  });
  expect(before).toMatchObject({ kind: "fault.failed", message: expect.stringContaining("no answer") as string });
});

test("recovering ends what is on and says who did it; a killed process need not answer yet", async () => {
  await chunkOn(1, 2);
  const faults = simulation();
  await faults.simulate(ADA, 2, { kind: "kill", seconds: SECONDS });
  nodeAt(1).faults = [{ kind: "slow", until: new Date(7) }];
  expect(await faults.status()).toEqual({
    allowed: true,
    embedded: true,
    faults: [
      { kind: "kill", until: new Date(0), nodeId: 2 },
      { kind: "slow", until: new Date(7), nodeId: 1 },
    ],
  });
  await faults.recover(ADA, 2);
  expect(processFaults).toEqual([]);
  expect((await events())[0]).toEqual({ kind: "fault.recovered", message: "ada ended what was simulated on node-2.", nodeId: 2 });
  await expect(faults.recover(ADA, 2)).rejects.toMatchObject({ code: "simulation.failed" }); // it is away, and not because of us
});

test("a node is added, and the log says by whom", async () => {
  expect(await simulation().addNode(ADA)).toEqual({ name: "node-5", port: 1 });
  expect(await events()).toMatchObject([{ kind: "node.added", message: "ada added node-5." }]);
});

test("the supervisor stops the process of a node that was removed, and of no other", async () => {
  await database.pool.query("UPDATE node SET intent = 'removed' WHERE id = 4");
  for (const id of [1, 4, 99]) await simulation().retireNode(id);
  expect(retired).toEqual([[4, "node-4"]]);
  await simulation({ supervisor: undefined }).retireNode(4);
});
