import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ChunkId, chunkIdOf } from "@holdfast/core/chunking";
import { chunkStoreKinds } from "@holdfast/core/chunk-store";
import type { NodeFault } from "@holdfast/core/fault-simulation";
import { signRequest } from "@holdfast/core/request-signing";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Pace } from "./pace.ts";
import { CLUSTER_KEY, joinedDirectory, startTestNode, type TestNode } from "../testing/index.ts";

const UNREACHABLE = { code: "store.unreachable" };

let node: TestNode;
beforeEach(async () => void (node = await startTestNode()));
afterEach(() => node.drop());

async function ask(method: "GET" | "POST", path: string, body?: unknown) {
  const headers = signRequest(CLUSTER_KEY, { method, path });
  const answer = await fetch(`http://127.0.0.1:${node.port}${path}`, {
    method,
    headers,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

const simulate = (fault: NodeFault) => ask("POST", "/simulate", fault);
const recover = () => ask("POST", "/recover");
const faultsOn = async () => ((await ask("GET", "/simulate")).body["faults"] as { kind: string }[]).map(({ kind }) => kind);

async function putChunk(length = 10_000): Promise<{ id: ChunkId; bytes: Buffer }> {
  const bytes = randomBytes(length);
  const id = chunkIdOf(bytes);
  await node.client.put(id, bytes);
  return { id, bytes };
}

async function tookMs(work: () => Promise<unknown>): Promise<number> {
  const startedAtMs = performance.now();
  await work();
  return performance.now() - startedAtMs;
}

test("cut off: nobody gets an answer but who ends it, and it ends by itself", async () => {
  const { id, bytes } = await putChunk();
  expect((await simulate({ kind: "partition", seconds: 600 })).status).toBe(200);
  await expect(node.client.get(id)).rejects.toMatchObject(UNREACHABLE);
  await expect(fetch(`http://127.0.0.1:${node.port}/health`)).rejects.toThrow("fetch failed");
  expect(await faultsOn()).toEqual(["partition"]);
  await simulate({ kind: "partition", seconds: 1 });
  await vi.waitFor(async () => expect((await node.client.get(id)).equals(bytes)).toBe(true), { timeout: 10_000 });
  expect(await faultsOn()).toEqual([]);
});

test("cut off in mid-exchange: what is under way breaks too", async () => {
  await simulate({ kind: "slow", seconds: 600, latencyMs: 20_000 });
  const bytes = randomBytes(1_000);
  const write = Promise.allSettled([node.client.put(chunkIdOf(bytes), bytes)]);
  await simulate({ kind: "partition", seconds: 600 });
  expect(await write).toMatchObject([{ status: "rejected", reason: UNREACHABLE }]);
  await recover();
});

test("slow: each chunk waits", async () => {
  const { id } = await putChunk();
  await simulate({ kind: "slow", seconds: 600, latencyMs: 300 });
  expect(await tookMs(() => node.client.get(id))).toBeGreaterThan(290);
  expect(await tookMs(() => putChunk())).toBeGreaterThan(290);
});

test("slow no more: who waits already need not wait to the end", async () => {
  const ended = new AbortController();
  const waiting = new Pace({ latencyMs: 600_000 }, ended.signal).pass(1);
  ended.abort();
  expect(await tookMs(() => waiting)).toBeLessThan(20_000);
});

test("a thin line is shared: two chunks take twice as long as one", async () => {
  const one = await putChunk(20_000);
  await simulate({ kind: "slow", seconds: 600, latencyMs: 0, bytesPerSecond: 100_000 });
  expect(await tookMs(() => Promise.all([node.client.get(one.id), node.client.get(one.id)]))).toBeGreaterThan(390);
});

test("disk full: chunks are refused and the node says so of itself; what it holds is still read", async () => {
  const { id, bytes } = await putChunk();
  await simulate({ kind: "disk-full", seconds: 600 });
  await expect(putChunk()).rejects.toMatchObject({ code: "store.full" });
  expect(await node.client.stats()).toMatchObject({
    writable: false,
    freeBytes: 0,
    reason: expect.stringContaining("simulated") as string,
  });
  expect((await node.client.get(id)).equals(bytes)).toBe(true);
  await recover();
  await putChunk();
  expect(await node.client.stats()).toMatchObject({ writable: true });
});

test.each(chunkStoreKinds)(
  "a damaged chunk of a %s store is never served; who did not look at it finds it whole again afterwards",
  async (store) => {
    await node.drop();
    node = await startTestNode({ store });
    await node.commands.scrub({ action: "stop" }); // which else may look before we do
    const [read, left] = [await putChunk(), await putChunk(1)];
    const { status } = await simulate({ kind: "corrupt", seconds: 600, chunks: 2, ids: [read.id, left.id] });
    expect(status).toBe(200);
    await expect(node.client.get(read.id)).rejects.toMatchObject({ code: "chunk.corrupt" });

    await recover();
    expect((await node.client.get(left.id)).equals(left.bytes)).toBe(true);
    await expect(node.client.get(read.id)).rejects.toMatchObject({ code: "chunk.not_found" });
  },
);

test("a good copy that took the place of a damaged one is left alone when the fault ends", async () => {
  const { id, bytes } = await putChunk();
  await simulate({ kind: "corrupt", seconds: 600, chunks: 1, ids: [id] });
  expect(await node.client.put(id, bytes)).toEqual({ stored: true });
  await recover();
  expect((await node.client.get(id)).equals(bytes)).toBe(true);
});

test("one of the chunks to damage is gone: none is damaged", async () => {
  const { id, bytes } = await putChunk();
  const gone = chunkIdOf(randomBytes(10));
  expect(await simulate({ kind: "corrupt", seconds: 600, chunks: 2, ids: [id, gone] })).toMatchObject({
    status: 502,
    body: { error: "simulation.failed" },
  });
  expect((await node.client.get(id)).equals(bytes)).toBe(true);
  expect(await faultsOn()).toEqual([]);
});

test("a node that stops leaves no damage behind", async () => {
  const data = mkdtempSync(join(tmpdir(), "holdfast-damage-"));
  const directory = await joinedDirectory(data);
  await node.drop();
  node = await startTestNode({ directory });
  const { id, bytes } = await putChunk();
  await simulate({ kind: "corrupt", seconds: 600, chunks: 1, ids: [id] });
  await node.drop();
  node = await startTestNode({ directory });
  expect((await node.client.get(id)).equals(bytes)).toBe(true);
  rmSync(data, { recursive: true });
});

test("several faults are on at once; the same one again takes its own place", async () => {
  await simulate({ kind: "slow", seconds: 600, latencyMs: 20_000 });
  await simulate({ kind: "disk-full", seconds: 600 });
  await simulate({ kind: "slow", seconds: 600, latencyMs: 1 });
  expect((await faultsOn()).toSorted()).toEqual(["disk-full", "slow"]);
  await expect(putChunk()).rejects.toMatchObject({ code: "store.full" });
});

test.each([
  ["no such fault", { kind: "flood", seconds: 1 }],
  ["a fault of its process, which is not the node's to make", { kind: "kill", seconds: 1 }],
  ["for ever", { kind: "partition", seconds: 3_601 }],
  ["damage to chunks that nobody named", { kind: "corrupt", seconds: 1, chunks: 1 }],
  ["damage to what is no chunk", { kind: "corrupt", seconds: 1, chunks: 1, ids: ["../../holdfast-node.json"] }],
  ["nothing", undefined],
])("%s: refused", async (_what, fault) => {
  expect(await ask("POST", "/simulate", fault)).toMatchObject({ status: 400, body: { error: "simulation.invalid" } });
  expect(await faultsOn()).toEqual([]);
});

test("switched off, as it is unless somebody set it: every route refuses and says what to set", async () => {
  await node.drop();
  node = await startTestNode({ simulateFaults: false });
  const refusal = {
    status: 403,
    body: { error: "simulation.off", message: expect.stringContaining("HOLDFAST_SIMULATE_FAULTS=1") as string },
  };
  expect(await simulate({ kind: "disk-full", seconds: 600 })).toMatchObject(refusal);
  expect(await recover()).toMatchObject(refusal);
  expect(await ask("GET", "/simulate")).toMatchObject(refusal);
  await putChunk();
});
