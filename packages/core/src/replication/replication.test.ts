import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { type ChunkId, chunkIdOf } from "../chunking/index.ts";
import { createLogger, limits } from "../kernel/index.ts";
import { choosePlacement } from "../placement/index.ts";
import { createManualClock, createTestNodes, type TestNode } from "../testing/index.ts";
import { type ChunkReplicator, type CopyOrders, createChunkReplicator, type ReplicationError } from "./index.ts";

const PATIENCE_MS = 60;

interface Setting {
  nodes: readonly TestNode[];
  replicator: ChunkReplicator;
  clock: ReturnType<typeof createManualClock>;
}

function cluster(size: number, patienceMs = PATIENCE_MS, orders?: () => CopyOrders): Setting {
  const nodes = createTestNodes(size);
  const clock = createManualClock();
  const replicator = createChunkReplicator({
    ...nodes,
    replicas: 3,
    writeQuorum: 2,
    clock,
    patienceMs,
    ...(orders && { orders }),
    logger: createLogger("test", "silent"),
  });
  return { nodes: nodes.all, replicator, clock };
}

function chunk(): { id: ChunkId; bytes: Buffer } {
  const bytes = randomBytes(1_000);
  return { id: chunkIdOf(bytes), bytes };
}

const holders = (nodes: readonly TestNode[], id: ChunkId): number[] =>
  nodes.filter(({ store }) => store.chunks.has(id)).map(({ snapshot }) => snapshot.id);

async function refusal(write: Promise<unknown>): Promise<ReplicationError> {
  return await write.then(
    () => expect.fail("the write was acknowledged"),
    (error: ReplicationError) => error,
  );
}

describe("a chunk is written", () => {
  it("to three nodes, and acknowledged at two", async () => {
    const { nodes, replicator } = cluster(3);
    nodes[2]!.fault = "hanging";
    const { id, bytes } = chunk();
    const written = await replicator.write(id, bytes);
    expect(written.nodeIds).toEqual(expect.arrayContaining([1, 2]));
    expect(written.copiesExpected).toBe(3);
    nodes[2]!.fault = "none";
    expect(await written.tail).toEqual({ nodeIds: [3], bytesInUse: false });
    expect(holders(nodes, id)).toEqual([1, 2, 3]);
  });

  it("to as many nodes as an operator wants at that moment, and to those that the policy names", async () => {
    const orders: CopyOrders = { replicas: 3, policy: "rendezvous" };
    const { nodes, replicator } = cluster(6, PATIENCE_MS, () => orders);
    Object.assign(orders, { replicas: 4, policy: "ring" });
    const { id, bytes } = chunk();
    await (
      await replicator.write(id, bytes)
    ).tail;
    const homes = choosePlacement(
      id,
      nodes.map(({ snapshot }) => snapshot),
      4,
      "ring",
    ).nodes;
    expect(holders(nodes, id)).toEqual(homes.map((node) => node.id).toSorted((a, b) => a - b));
    expect(replicator.replicas).toBe(4);
  });

  it("when one of four nodes refuses: the spare takes the third copy", async () => {
    const { nodes, replicator } = cluster(4);
    nodes[0]!.fault = "unreachable";
    const { id, bytes } = chunk();
    const written = await replicator.write(id, bytes);
    await written.tail;
    expect(holders(nodes, id)).toEqual([2, 3, 4]);
  });

  it("when one of four nodes says nothing: the spare is asked as well", async () => {
    const { nodes, replicator } = cluster(4);
    nodes[0]!.fault = "hanging";
    const { id, bytes } = chunk();
    const written = await replicator.write(id, bytes);
    await written.tail;
    expect(holders(nodes, id)).toEqual([2, 3, 4]);
    nodes[0]!.fault = "none";
  });

  it("when the third node hangs: the tail gives up on it and says that the buffer is not free", async () => {
    const { nodes, replicator } = cluster(3);
    nodes[1]!.fault = "hanging";
    const { id, bytes } = chunk();
    const written = await replicator.write(id, bytes);
    expect(await written.tail).toEqual({ nodeIds: [], bytesInUse: true });
    nodes[1]!.fault = "none";
  });

  it("when the third node hangs and nobody could stand in: the buffer is not kept for as long as a missing quorum is waited for", async () => {
    const { nodes, replicator } = cluster(3, 600_000);
    nodes[1]!.fault = "hanging";
    const { id, bytes } = chunk();
    const { tail } = await replicator.write(id, bytes);
    expect(await tail).toEqual({ nodeIds: [], bytesInUse: true });
    nodes[1]!.fault = "none";
  });

  it("when two of three nodes are only slow: it waits for them instead of refusing", async () => {
    const { nodes, replicator } = cluster(3);
    for (const node of nodes.slice(1)) node.fault = "hanging";
    const { id, bytes } = chunk();
    const writing = replicator.write(id, bytes);
    setTimeout(() => nodes.slice(1).forEach((node) => (node.fault = "none")), PATIENCE_MS * 3);
    expect((await writing).nodeIds.length).toBe(2);
  });
});

describe("a cluster under load", () => {
  it("all nodes need long: the last one is given its time, and none is blamed", async () => {
    const { nodes, replicator, clock } = cluster(3);
    for (const node of nodes) node.fault = "hanging";
    const { id, bytes } = chunk();
    const writing = replicator.write(id, bytes);
    await delay(PATIENCE_MS * 2);
    clock.advance(PATIENCE_MS * 2);
    for (const node of nodes.slice(0, 2)) node.fault = "none";
    const { tail } = await writing;
    await delay(PATIENCE_MS * 2);
    nodes[2]!.fault = "none";
    expect(await tail).toEqual({ nodeIds: [3], bytesInUse: false });
    const next = chunk();
    expect((await replicator.write(next.id, next.bytes)).copiesExpected).toBe(3);
  });
});

describe("a node that fails", () => {
  it("is left alone by the next writes, and they say that there will be two copies", async () => {
    const { nodes, replicator } = cluster(3);
    nodes[2]!.fault = "unreachable";
    const copies: number[] = [];
    for (let count = 0; count < 5; count++) {
      const { id, bytes } = chunk();
      const written = await replicator.write(id, bytes);
      await written.tail;
      copies.push(written.copiesExpected);
    }
    expect(copies.slice(1)).toEqual([2, 2, 2, 2]);
    expect(nodes[2]!.attempts).toBe(1);
  });

  it("is knocked at after a second by one write, and taken back when it answers", async () => {
    const { nodes, replicator, clock } = cluster(3);
    const write = async () => {
      const { id, bytes } = chunk();
      await (
        await replicator.write(id, bytes)
      ).tail;
    };
    nodes[2]!.fault = "unreachable";
    await Promise.all([write(), write(), write(), write()]);
    clock.advance(limits.nodeAvoidMinMs);
    const before = nodes[2]!.attempts;
    await Promise.all([write(), write()]);
    expect(nodes[2]!.attempts).toBe(before + 1);

    nodes[2]!.fault = "none";
    clock.advance(limits.nodeAvoidMinMs * 2);
    await write();
    await write();
    expect(nodes[2]!.store.chunks.size).toBe(2);
  });

  it("is not blamed for refusing bytes that are not what their name says", async () => {
    const { nodes, replicator } = cluster(3);
    await refusal(replicator.write(chunk().id, randomBytes(10)));
    const { id, bytes } = chunk();
    expect((await replicator.write(id, bytes)).copiesExpected).toBe(3);
    expect(nodes.map(({ attempts }) => attempts)).toEqual([2, 2, 2]);
  });

  it("is asked all the same when the quorum cannot do without it", async () => {
    const { nodes, replicator } = cluster(2);
    nodes[1]!.fault = "unreachable";
    const lost = chunk();
    await refusal(replicator.write(lost.id, lost.bytes));
    nodes[1]!.fault = "none";
    const { id, bytes } = chunk();
    expect((await replicator.write(id, bytes)).nodeIds.length).toBe(2);
  });
});

describe("too few nodes", () => {
  it("two of three do not answer: refused, with their names and what would help", async () => {
    const { nodes, replicator } = cluster(3);
    nodes[0]!.fault = "unreachable";
    nodes[2]!.fault = "unreachable";
    const { id, bytes } = chunk();
    const error = await refusal(replicator.write(id, bytes));
    expect(error.code).toBe("cluster.too_few_nodes");
    expect(error.message).toContain("Only 1 of 3 storage nodes can take data: ");
    expect(error.message).toContain("node-3 does not answer");
    expect(error.message).toContain("Start the missing nodes");
    expect(error.details).toMatchObject({ copiesNeeded: 2, nodesAvailable: 1 });
  });

  it("nodes that the controller holds for down are not even tried", async () => {
    const { nodes, replicator } = cluster(3);
    for (const node of nodes.slice(1)) node.snapshot = { ...node.snapshot, health: "down" };
    const { id, bytes } = chunk();
    expect((await refusal(replicator.write(id, bytes))).message).toContain("node-2 is down, node-3 is down");
    expect(nodes[1]!.attempts).toBe(0);
  });

  it("no node has registered yet", async () => {
    const { id, bytes } = chunk();
    expect((await refusal(cluster(0).replicator.write(id, bytes))).message).toContain("No storage node is known yet");
  });

  it("the nodes are there but full: it is room that is missing, not nodes", async () => {
    const { nodes, replicator } = cluster(3);
    nodes[0]!.fault = "full";
    nodes[1]!.snapshot = { ...nodes[1]!.snapshot, writable: false };
    const { id, bytes } = chunk();
    const error = await refusal(replicator.write(id, bytes));
    expect(error.code).toBe("cluster.full");
    expect(error.message).toContain("node-2 is full, node-1 is full");
  });
});
