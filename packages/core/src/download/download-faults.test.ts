import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type ChunkId, chunkIdOf, chunkIdToBytes } from "../chunking/index.ts";
import { KiB, limits, MiB } from "../kernel/index.ts";
import { type DriveWithContent, startDriveWithContent } from "./testing/drive-with-content.ts";

const PATIENCE_MS = 3_000;
/** Far more than the sockets of a connection hold, so that a reader who stops makes the sender stop. */
const LARGE = { length: 32 * MiB, chunkBytes: 512 * KiB };
const WINDOW = limits.downloadReadAhead;
const WINDOW_BYTES = WINDOW * LARGE.chunkBytes;

let drive: DriveWithContent;
beforeAll(async () => {
  drive = await startDriveWithContent({ patienceMs: PATIENCE_MS });
});
afterAll(() => drive.stop());
afterEach(() => {
  for (const node of drive.nodes.all) {
    node.fault = "none";
    node.snapshot.health = "up";
  }
});

const reads = () => drive.nodes.all.reduce((sum, node) => sum + node.reads, 0);
const bytesOf = async (answer: Response) => Buffer.from(await answer.arrayBuffer());

async function storeLarge() {
  const bytes = randomBytes(LARGE.length);
  return { bytes, ...(await drive.store({ bytes, chunkBytes: LARGE.chunkBytes })) };
}

async function open(url: string): Promise<IncomingMessage> {
  const [answer] = (await once(get(url, { agent: false }), "response")) as [IncomingMessage];
  return answer;
}

/** Waits until the sender, having a reader that takes nothing, has stopped asking nodes. */
async function senderStopped(): Promise<number> {
  for (let before = -1; ;) {
    const now = reads();
    if (now === before) return now;
    before = now;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function read(answer: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of answer) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

async function replicasOf(id: ChunkId): Promise<number[]> {
  const chunk = await drive.database.prisma.chunk.findUniqueOrThrow({ where: { id: Uint8Array.from(chunkIdToBytes(id)) } });
  return chunk.replicas;
}

const eventsOf = (id: ChunkId, kind: string) =>
  drive.database.prisma.event.findMany({ where: { kind, data: { path: ["chunk"], equals: id } } });

test("a flipped bit is never served: another copy is, and the bad one no longer counts", async () => {
  const bytes = randomBytes(3_000);
  const { url } = await drive.store({ bytes });
  const id = chunkIdOf(bytes.subarray(1_000, 2_000));
  const [bad, worse, good] = drive.nodes.all;
  bad!.store.chunks.get(id)![7]! ^= 0x10;
  await worse!.store.delete(id);
  good!.snapshot.health = "suspect"; // so that the others are asked first
  expect(await bytesOf(await fetch(url))).toEqual(bytes);
  await expect.poll(() => replicasOf(id)).toEqual([3]);
  expect(await eventsOf(id, "chunk.copy_lost")).toMatchObject([
    { severity: "warning", nodeId: expect.any(Number), data: { chunk: id } },
    { severity: "warning", nodeId: expect.any(Number), data: { chunk: id } },
  ]);
});

test("a flipped bit in a chunk of which a little is wanted: another copy's bytes are served, and the bad one no longer counts", async () => {
  const bytes = randomBytes(1 * MiB);
  const { url } = await drive.store({ bytes, chunkBytes: bytes.length });
  const id = chunkIdOf(bytes);
  const [bad, ...good] = drive.nodes.all;
  bad!.store.chunks.get(id)![500_000]! ^= 0x10;
  for (const node of good) node.snapshot.health = "suspect"; // so that the other is asked first
  const before = bad!.parts;
  const answer = await fetch(url, { headers: { range: "bytes=450000-549999" } });
  expect((await bytesOf(answer)).equals(bytes.subarray(450_000, 550_000))).toBe(true);
  expect(bad!.parts).toBe(before + 1);
  await expect.poll(() => replicasOf(id)).toEqual([2, 3]);
});

test("when the last copy is bad too, the reader is told, the row keeps its node, and one event says so", async () => {
  const bytes = randomBytes(1_000);
  const { url } = await drive.store({ bytes });
  const id = chunkIdOf(bytes);
  for (const { store } of drive.nodes.all) store.chunks.get(id)![0]! ^= 1;
  for (let i = 0; i < 3; i++) {
    const answer = await fetch(url);
    expect([answer.status, await answer.json()]).toMatchObject([503, { error: "content.unavailable" }]);
  }
  await expect.poll(async () => (await eventsOf(id, "chunk.last_copy_lost")).length).toBe(1);
  expect(await replicasOf(id)).toHaveLength(1);
});

test("all copies away before the first byte: 503 that names the nodes, when to retry, and forgets no copy", async () => {
  const bytes = randomBytes(1_000);
  const { url } = await drive.store({ bytes });
  for (const node of drive.nodes.all) node.fault = "unreachable";
  const before = reads();
  const answer = await fetch(url);
  expect(reads() - before).toBe(3); // each once: nobody is kept waiting for an answer that can be given now
  expect([answer.status, answer.headers.get("retry-after"), answer.headers.get("etag")]).toEqual([503, "2", null]);
  expect(await answer.json()).toMatchObject({
    error: "content.unavailable",
    message: expect.stringMatching(/node-1.*node-2.*node-3/),
    nodes: [{ reason: "store.unreachable" }, { reason: "store.unreachable" }, { reason: "store.unreachable" }],
  });
  expect(await replicasOf(chunkIdOf(bytes))).toEqual([1, 2, 3]);
});

test("two of three nodes die in mid-stream: the same bytes arrive on the same connection", async () => {
  const { url, bytes } = await storeLarge();
  const answer = await open(url);
  await senderStopped();
  drive.nodes.all[0]!.fault = "unreachable";
  drive.nodes.all[1]!.fault = "hanging";
  expect((await read(answer)).equals(bytes)).toBe(true);
});

test("all nodes go in mid-stream and one comes back: the download waits for it", async () => {
  const { url, bytes } = await storeLarge();
  const answer = await open(url);
  await senderStopped();
  for (const node of drive.nodes.all) node.fault = "unreachable";
  const reading = read(answer);
  const before = drive.downloads.counts().failedCopies;
  await expect.poll(() => drive.downloads.counts().failedCopies).toBeGreaterThan(before + 3);
  drive.nodes.all[2]!.fault = "none";
  expect((await reading).equals(bytes)).toBe(true);
});

test("all nodes go in mid-stream and stay away: the connection is cut, and nothing short passes for the file", async () => {
  const { url } = await storeLarge();
  const answer = await open(url);
  await senderStopped();
  for (const node of drive.nodes.all) node.fault = "unreachable";
  await expect(read(answer)).rejects.toMatchObject({ code: "ECONNRESET" });
  await expect.poll(() => drive.downloads.counts()).toMatchObject({ active: 0, bufferedBytes: 0 });
});

test("the copies move while a download runs: it finds them again", async () => {
  const { url, bytes } = await storeLarge();
  await drive.database.pool.query("UPDATE chunk SET replicas = '{1,2}'");
  const answer = await open(url);
  await senderStopped();
  drive.nodes.all[0]!.fault = drive.nodes.all[1]!.fault = "unreachable";
  await drive.database.pool.query("UPDATE chunk SET replicas = '{3}'");
  expect((await read(answer)).equals(bytes)).toBe(true);
});

test("a reader who takes nothing makes the process hold its window and no more", async () => {
  const { url, bytes } = await storeLarge();
  const before = reads();
  const answer = await open(url);
  await senderStopped();
  expect(drive.downloads.counts().active).toBe(1);
  expect(drive.downloads.counts().bufferedBytes).toBeLessThanOrEqual(WINDOW_BYTES);
  expect(reads() - before).toBeLessThan(LARGE.length / LARGE.chunkBytes / 2);
  expect((await read(answer)).equals(bytes)).toBe(true);
});

test("a client that leaves takes its buffers and its node requests with it", async () => {
  const { url } = await storeLarge();
  for (const node of drive.nodes.all) node.fault = "hanging";
  const client = get(url, { agent: false }).on("error", () => undefined);
  await expect.poll(() => drive.downloads.counts().bufferedBytes).toBe(WINDOW_BYTES);
  const cancelled = () => drive.nodes.all.reduce((sum, node) => sum + node.cancelledReads, 0);
  const before = cancelled();
  client.destroy();
  await expect.poll(() => drive.downloads.counts()).toMatchObject({ active: 0, bufferedBytes: 0 });
  await expect.poll(cancelled).toBeGreaterThanOrEqual(before + WINDOW);
});
