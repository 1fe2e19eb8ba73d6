/** Parts of chunks over a real chunk stream, with somebody on the way. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, ServerResponse } from "node:http";
import { type AddressInfo, connect, createServer as createProxy, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { ChunkBuffers } from "../byte-budget/index.ts";
import { ChunkStoreError, MemoryChunkStore } from "../chunk-store/index.ts";
import { acceptChunkStream, asksForChunkStream, type ChunkDoor, type ReadChunk } from "../chunk-transport/index.ts";
import { type ChunkId, chunkIdOf } from "../chunking/index.ts";
import { createManualClock } from "../testing/index.ts";
import { HttpChunkStore } from "./http-chunk-store.ts";
import { NodeConnection } from "./node-connection.ts";
import { StreamedChunkStore } from "./streamed-chunk-store.ts";

const CLUSTER_KEY = "test-cluster-key-test-cluster-key";
const CHUNK = randomBytes(300_000);
const ID = chunkIdOf(CHUNK);
const PART = { from: 70_000, to: 170_000 };
const BYTES = CHUNK.subarray(PART.from, PART.to);
const UNREACHABLE = { code: "store.unreachable" };

let leave: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of leave.splice(0)) await step();
});

/** What a node does that has been asked for a part; the chunk itself can always be had. */
type Answer = (id: ChunkId, whole: ReadChunk) => ReadChunk;
const truthful: Answer = (_id, { bytes, memory }) => ({ bytes: bytes.subarray(PART.from, PART.to), memory });

/** A node, and what it was asked for. */
async function nodeThat(answer: Answer = truthful) {
  const held = new MemoryChunkStore();
  await held.put(ID, CHUNK);
  const memory = new ChunkBuffers(2 ** 26);
  const asked: string[] = [];
  const get = async (id: ChunkId): Promise<ReadChunk> => {
    const room = await memory.acquire(CHUNK.length);
    return { bytes: await held.get(id, { into: room.bytes }), memory: room };
  };
  const door: ChunkDoor = {
    roomNow: (length) => memory.tryAcquire(length),
    room: (length) => memory.acquire(length),
    put: (id, bytes) => held.put(id, bytes),
    get: (id) => (asked.push("whole"), get(id)),
    lend: get,
    getPart: async (id) => (asked.push("part"), answer(id, await get(id))),
    refusal: (error) => Buffer.from(JSON.stringify({ error: error instanceof ChunkStoreError ? error.code : "internal", message: "" })),
    broken: (error) => void asked.push(`broken: ${String(error)}`),
  };
  const server = createServer({ shouldUpgradeCallback: asksForChunkStream }).listen(0, "127.0.0.1");
  server.on("upgrade", (req) => {
    const res = new ServerResponse(req);
    res.assignSocket(req.socket);
    acceptChunkStream(req, res, { clusterKey: CLUSTER_KEY, door });
  });
  await once(server, "listening");
  leave.push(() => server.close());
  return { port: (server.address() as AddressInfo).port, asked };
}

/** The node's store as a gateway has it, with `onTheWay` between them: what it returns arrives. */
async function storeBehind(port: number, onTheWay: (part: Buffer) => Buffer = (part) => part): Promise<StreamedChunkStore> {
  const sockets: Socket[] = [];
  const proxy = createProxy((near) => {
    const far = connect(port, "127.0.0.1");
    sockets.push(near, far);
    near.on("error", () => far.destroy()).pipe(far);
    far.on("error", () => near.destroy()).on("data", (part: Buffer) => near.write(onTheWay(part)));
    far.on("end", () => near.end());
  }).listen(0, "127.0.0.1");
  await once(proxy, "listening");
  const node = new NodeConnection(`127.0.0.1:${(proxy.address() as AddressInfo).port}`, CLUSTER_KEY);
  const store = new StreamedChunkStore(node, new HttpChunkStore(node), createManualClock());
  leave.unshift(
    () => sockets.forEach((socket) => socket.destroy()),
    () => proxy.close(),
    () => store.close(),
  );
  return store;
}

test("a part arrives where the caller wants it, and the node is asked for nothing else", async () => {
  const { port, asked } = await nodeThat();
  const store = await storeBehind(port);
  const into = Buffer.alloc(BYTES.length);
  expect((await store.getPart(ID, PART, { into }))!.equals(BYTES)).toBe(true);
  expect(into.equals(BYTES)).toBe(true);
  expect(asked).toEqual(["part"]);
});

test("one bit flips on the way, where the network's own checks do not see it: the part is not passed on", async () => {
  const { port } = await nodeThat();
  const place = BYTES.subarray(0, 32);
  let flips = 0;
  const store = await storeBehind(port, (part) => {
    const at = part.indexOf(place);
    if (at < 0) return part;
    flips++;
    const changed = Buffer.from(part);
    changed[at + 7]! ^= 1;
    return changed;
  });
  await expect(store.getPart(ID, PART)).rejects.toMatchObject({ ...UNREACHABLE, message: expect.stringContaining("damaged") as string });
  expect(flips).toBe(1);
});

test.each<[string, Answer]>([
  ["shorter than it was asked for", (_id, { bytes, memory }) => ({ bytes: bytes.subarray(PART.from, PART.to - 1), memory })],
  ["longer", (_id, { bytes, memory }) => ({ bytes: bytes.subarray(PART.from, PART.to + 1), memory })],
])("a part that is %s is none", async (_what, answer) => {
  const { port } = await nodeThat(answer);
  await expect((await storeBehind(port)).getPart(ID, PART)).rejects.toMatchObject(UNREACHABLE);
});

test("a node refuses in its own words, and the stream goes on", async () => {
  let isDamaged = true;
  const { port } = await nodeThat((id, whole) => {
    if (!isDamaged) return truthful(id, whole);
    isDamaged = false;
    whole.memory.release();
    throw new ChunkStoreError("chunk.corrupt", "");
  });
  const store = await storeBehind(port);
  await expect(store.getPart(ID, PART)).rejects.toMatchObject({ code: "chunk.corrupt" });
  expect((await store.getPart(ID, PART))!.equals(BYTES)).toBe(true);
});

test("a node of a time before parts is not asked for one, and gives the whole chunk as ever", async () => {
  const { port, asked } = await nodeThat();
  const header = Buffer.from("holdfast-parts");
  const store = await storeBehind(port, (part) => {
    const at = part.indexOf(header);
    return at < 0 ? part : Buffer.concat([part.subarray(0, at), Buffer.from("x-unknown-mark"), part.subarray(at + header.length)]);
  });
  expect(await store.getPart(ID, PART)).toBeUndefined();
  expect((await store.get(ID)).equals(CHUNK)).toBe(true);
  expect(asked).toEqual(["whole"]);
});

test("a reader who leaves before his part is rid of it, and the next one gets his", async () => {
  const { port } = await nodeThat();
  const store = await storeBehind(port);
  const leaving = new AbortController();
  const into = Buffer.alloc(BYTES.length);
  const left = store.getPart(ID, PART, { into, signal: leaving.signal });
  const stays = store.getPart(ID, PART);
  leaving.abort();
  await expect(left).rejects.toMatchObject(UNREACHABLE);
  expect((await stays)!.equals(BYTES)).toBe(true);
});
