/** The node's side of a chunk stream against callers who hold the cluster key and still do not behave. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, request, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ChunkBuffers } from "../byte-budget/index.ts";
import { type ChunkPart, ChunkStoreError, MemoryChunkStore } from "../chunk-store/index.ts";
import { type ChunkId, chunkIdOf } from "../chunking/index.ts";
import { KiB, limits } from "../kernel/index.ts";
import { sessionKeyOf } from "../request-signing/index.ts";
import { FrameError } from "./frame-error.ts";
import { ANSWER_BYTES, decodeAnswer, encodeRequest, REQUEST_BYTES, type Request } from "./frames.ts";
import { acceptChunkStream, asksForChunkStream, openChunkStream } from "./handshake.ts";
import { PART_BYTES } from "./parts.ts";
import type { ChunkDoor, ServerSession } from "./server-session.ts";

const CLUSTER_KEY = "test-cluster-key-test-cluster-key";
const PROTOCOL = "holdfast-chunks/1";
const CHUNK = randomBytes(100_000);
const ID = chunkIdOf(CHUNK);

class Door implements ChunkDoor {
  readonly store = new MemoryChunkStore();
  readonly memory = new ChunkBuffers(limits.nodeReceiveBytes);
  readonly sending = new ChunkBuffers(limits.nodeSendBytes);
  readonly broken = vi.fn<(error: unknown) => void>();
  /** Reads that were begun and those that were given up while they waited. */
  reads = 0;
  copies = 0;
  abandoned = 0;
  /** What a read waits for. */
  gate: Promise<void> | undefined;

  roomNow(length: number) {
    return this.memory.tryAcquire(length);
  }

  room(length: number, gone: AbortSignal) {
    return this.memory.acquire(length, gone);
  }

  put(id: ChunkId, bytes: Buffer) {
    return this.store.put(id, bytes);
  }

  async get(id: ChunkId, gone: AbortSignal) {
    this.reads++;
    gone.addEventListener("abort", () => this.abandoned++);
    await this.gate;
    const memory = await this.sending.acquire(limits.chunkBytesMax, gone);
    try {
      return { bytes: await this.store.get(id, { into: memory.bytes }), memory };
    } catch (error) {
      memory.release();
      throw error;
    }
  }

  async getPart(id: ChunkId, { from, to }: ChunkPart, gone: AbortSignal) {
    const { bytes, memory } = await this.get(id, gone);
    return { bytes: bytes.subarray(from, to), memory };
  }

  async lend(id: ChunkId, gone: AbortSignal) {
    this.copies++;
    return await this.get(id, gone);
  }

  refusal(error: unknown) {
    return Buffer.from(JSON.stringify({ error: error instanceof ChunkStoreError ? error.code : "internal", message: "" }));
  }
}

let door: Door;
let address: string;
let sessions: ServerSession[];
let leave: (() => unknown)[];
let exchangeTimeoutMs: number | undefined;

beforeEach(async () => {
  door = new Door();
  sessions = [];
  exchangeTimeoutMs = undefined;
  const server = createServer({ shouldUpgradeCallback: asksForChunkStream }).listen(0, "127.0.0.1");
  server.on("upgrade", (req) => {
    const res = new ServerResponse(req);
    res.assignSocket(req.socket);
    sessions.push(acceptChunkStream(req, res, { clusterKey: CLUSTER_KEY, door, exchangeTimeoutMs }));
  });
  await once(server, "listening");
  address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  leave = [() => sessions.forEach((session) => session.cut()), () => server.close()];
});
afterEach(() => leave.forEach((step) => step()));

/** Somebody who holds the key and writes frames by himself. */
class Caller {
  readonly #socket: Socket;
  readonly #key: ReturnType<typeof sessionKeyOf>;
  readonly closed: Promise<unknown>;
  #number = 0;

  static async connect(): Promise<Caller> {
    const nonce = randomBytes(12).toString("base64url");
    const headers = { connection: "Upgrade", upgrade: PROTOCOL, "holdfast-nonce": nonce };
    const asked = request(`http://${address}/chunk-stream`, { headers, agent: false }).end();
    const [response, socket] = (await once(asked, "upgrade")) as [{ headers: Record<string, string> }, Socket];
    const nonces = { request: nonce, answer: response.headers["holdfast-nonce"]! };
    return new Caller(socket, sessionKeyOf(CLUSTER_KEY, PROTOCOL, nonces));
  }

  private constructor(socket: Socket, key: ReturnType<typeof sessionKeyOf>) {
    this.#socket = socket.on("error", () => undefined);
    this.#key = key;
    this.closed = new Promise((resolve) => socket.once("close", resolve));
  }

  frame(request: Partial<Request>): Buffer {
    return encodeRequest({ kind: "get", number: ++this.#number, length: 0, id: ID, ...request }, this.#key);
  }

  send(...parts: Buffer[]): void {
    this.#socket.write(Buffer.concat(parts));
  }

  put(bytes: Buffer): void {
    this.send(this.frame({ kind: "put", length: bytes.length, id: chunkIdOf(bytes) }), bytes);
  }

  leave(): void {
    this.#socket.destroy();
  }

  /** Reads that many answers; until then, and after, nothing is read. */
  async answers(count: number): Promise<string[]> {
    const kinds: string[] = [];
    let unread = Buffer.alloc(0);
    for await (const part of this.#socket.iterator({ destroyOnReturn: false })) {
      unread = Buffer.concat([unread, part as Buffer]);
      while (unread.length >= ANSWER_BYTES && unread.length >= ANSWER_BYTES + decodeAnswer(unread).length) {
        const { kind, length } = decodeAnswer(unread);
        kinds.push(kind);
        unread = unread.subarray(ANSWER_BYTES + length);
      }
      if (kinds.length >= count) break;
    }
    return kinds;
  }
}

/** Everything a session borrowed is back, and the next caller is served. */
async function allIsWell(): Promise<void> {
  await until(() => door.memory.usedBytes + door.sending.usedBytes === 0);
  const session = await openChunkStream(address, CLUSTER_KEY);
  const bytes = randomBytes(10_000);
  const id = chunkIdOf(bytes);
  expect(await session.put(id, bytes)).toEqual({ stored: true });
  expect((await session.get(id, {})).equals(bytes)).toBe(true);
  await session.close();
}

test.each<[string, (caller: Caller) => Buffer[]]>([
  ["a request of another session", () => [ofAnotherSession()]],
  ["a changed id", (caller) => [flipped(caller.frame({}), 20)]],
  ["a changed length", (caller) => [flipped(caller.frame({ kind: "put", length: 100 }), 11), randomBytes(101)]],
  ["a get turned into a put", (caller) => [flipped(caller.frame({}), 0)]],
  ["a request sent twice", (caller) => twice(caller.frame({}))],
  ["a request left out", (caller) => [caller.frame({ number: 2 })]],
  ["a put of nothing", (caller) => [caller.frame({ kind: "put", length: 0 })]],
  ["a put longer than a chunk", (caller) => [caller.frame({ kind: "put", length: limits.chunkBytesMax + 1 }), CHUNK]],
  ["a part without its place", (caller) => [caller.frame({ kind: "part" })]],
  ["a part in a place that nobody signed", (caller) => [caller.frame({ kind: "part", length: PART_BYTES }), randomBytes(PART_BYTES)]],
  ["a bundle that is too short", (caller) => [caller.frame({ kind: "bundle", length: 1 }), randomBytes(1)]],
  ["a bundle that is too long", (caller) => [caller.frame({ kind: "bundle", length: 70_000 }), randomBytes(70_000)]],
  ["a bundle that nobody signed", (caller) => [caller.frame({ kind: "bundle", length: 10_000 }), randomBytes(10_000)]],
  ["a get with a body", (caller) => [caller.frame({ length: 1 }), randomBytes(1)]],
  ["an HTTP request", () => [Buffer.from(`GET /chunks/${ID} HTTP/1.1\r\nHost: node\r\nConnection: keep-alive\r\n\r\n`)]],
  ["noise", () => [randomBytes(100_000)]],
  ["nothing but zeros", () => [Buffer.alloc(REQUEST_BYTES)]],
])("%s: cut off, nothing stored, nothing kept", async (_what, parts) => {
  const caller = await Caller.connect();
  caller.send(...parts(caller));
  caller.answers(Number.POSITIVE_INFINITY).catch(() => undefined);
  await caller.closed;
  expect(door.broken).toHaveBeenCalledExactlyOnceWith(expect.any(FrameError));
  expect(door.store.chunks.size).toBe(0);
  await allIsWell();
});

test("random streams of frames, good ones among noise, a thousand times: the node goes on, its memory as before", async () => {
  for (let round = 0; round < 20; round++) {
    const callers = await Promise.all(Array.from({ length: 50 }, () => Caller.connect()));
    for (const caller of callers) {
      const good = Array.from({ length: round % 4 }, () => caller.frame({}));
      const cut = caller.frame({ kind: "put", length: 1 + Math.floor(Math.random() * limits.chunkBytesMax) });
      caller.send(...good, round % 2 === 0 ? cut : randomBytes(round), randomBytes(Math.floor(Math.random() * 8 * KiB)));
      caller.leave();
    }
  }
  await until(() => sessions.length === 1_000);
  await Promise.all(sessions.map(({ ended }) => ended));
  expect(door.store.chunks.size).toBe(0);
  await allIsWell();
});

describe("a node that is patient for a moment only", () => {
  beforeEach(() => void (exchangeTimeoutMs = 200));
  afterEach(() => void (exchangeTimeoutMs = undefined));

  test.each<[string, (caller: Caller) => void]>([
    ["half a chunk and then nothing", (caller) => caller.send(CHUNK.subarray(0, 50_000))],
    ["a chunk that trickles in", (caller) => leave.unshift(trickle(caller))],
  ])("%s: cut off in time, and the memory serves others", async (_what, send) => {
    const caller = await Caller.connect();
    caller.send(caller.frame({ kind: "put", length: CHUNK.length }));
    send(caller);
    caller.answers(1).catch(() => undefined);
    await caller.closed;
    exchangeTimeoutMs = undefined;
    expect(door.store.chunks.size).toBe(0);
    await allIsWell();
  });
});

test("one request among many takes too long: the stream is cut in that one's time, whatever was answered before", async () => {
  await door.store.put(ID, CHUNK);
  exchangeTimeoutMs = 300;
  const session = await openChunkStream(address, CLUSTER_KEY);
  await session.get(ID, {});
  await delay(200);
  door.gate = new Promise(() => undefined);
  const begunAt = performance.now();
  const slow = failureOf(session.get(ID, {}));
  await delay(200);
  expect(session.isOpen).toBe(true);
  expect(await slow).toMatchObject({ message: "the connection ended" });
  expect(performance.now() - begunAt).toBeGreaterThan(290);
  await until(() => door.abandoned === 1);
});

/** Returns what ends it. */
function trickle(caller: Caller): () => void {
  const drops = setInterval(() => caller.send(randomBytes(1)), 20);
  return () => clearInterval(drops);
}

test("no memory for a chunk: it is not read until there is, and readers are served meanwhile", async () => {
  await door.store.put(ID, CHUNK);
  const taken = await door.memory.acquire(limits.chunkBytesMax, new AbortController().signal);
  const rest = Array.from({ length: limits.nodeReceiveBytes / limits.chunkBytesMax - 1 }, () =>
    door.memory.tryAcquire(limits.chunkBytesMax)!,
  );
  const [writer, reader] = await Promise.all([openChunkStream(address, CLUSTER_KEY), openChunkStream(address, CLUSTER_KEY)]);
  const bytes = randomBytes(limits.chunkBytesMax);
  let isStored = false;
  const write = writer.put(chunkIdOf(bytes), bytes).then(() => (isStored = true));
  await until(() => door.memory.contended);
  expect((await reader.get(ID, {})).equals(CHUNK)).toBe(true);
  expect(isStored).toBe(false);
  taken.release();
  await write;
  rest.forEach((memory) => memory.release());
  await Promise.all([writer.close(), reader.close()]);
  await allIsWell();
});

test("a flood of reads whose answers nobody reads: few are begun, and all are answered once he reads", async () => {
  const bytes = randomBytes(512 * KiB);
  const id = chunkIdOf(bytes);
  await door.store.put(id, bytes);
  const caller = await Caller.connect();
  const count = 3 * limits.nodeStreamRequestsMax;
  caller.send(...Array.from({ length: count }, () => caller.frame({ id })));
  await until(() => door.sending.contended);
  await until(() => door.reads >= limits.nodeStreamRequestsMax);
  await new Promise((resolve) => setImmediate(resolve));
  expect(door.reads).toBeLessThan(2 * limits.nodeStreamRequestsMax);
  expect(door.sending.usedBytes).toBeLessThanOrEqual(limits.nodeSendBytes);
  const kinds = await caller.answers(count);
  expect(kinds).toEqual(Array.from({ length: count }, () => "chunk"));
  caller.leave();
  await allIsWell();
});

test("a read that nobody waits for any more is given up, and the stream goes on", async () => {
  await door.store.put(ID, CHUNK);
  const gate = Promise.withResolvers<void>();
  door.gate = gate.promise;
  const session = await openChunkStream(address, CLUSTER_KEY);
  const leaving = new AbortController();
  const failure = failureOf(session.get(ID, { signal: leaving.signal }));
  await until(() => door.reads === 1);
  leaving.abort();
  expect(await failure).toMatchObject({ message: "nobody waits for the answer" });
  await until(() => door.abandoned === 1);
  gate.resolve();
  expect((await session.get(ID, {})).equals(CHUNK)).toBe(true);
  expect(session.busy).toBe(0);
  await session.close();
  await allIsWell();
});

test("a read for a copy is told from a user's", async () => {
  await door.store.put(ID, CHUNK);
  const session = await openChunkStream(address, CLUSTER_KEY);
  expect((await session.get(ID, {})).equals(CHUNK)).toBe(true);
  expect(door.copies).toBe(0);
  expect((await session.get(ID, {}, "copy")).equals(CHUNK)).toBe(true);
  expect(door.copies).toBe(1);
  await session.close();
});

test("a node that falls silent: the caller hears of it in time, and so does who comes too late", async () => {
  door.gate = new Promise(() => undefined);
  const session = await openChunkStream(address, CLUSTER_KEY, 200);
  await expect(session.get(ID, {})).rejects.toThrow(/in time/);
  await expect(session.put(ID, CHUNK)).rejects.toThrow(/in time/);
});

test("a node that stops finishes what has begun, takes nothing more, and closes", async () => {
  await door.store.put(ID, CHUNK);
  const gate = Promise.withResolvers<void>();
  door.gate = gate.promise;
  const [busy, idle] = await Promise.all([openChunkStream(address, CLUSTER_KEY), openChunkStream(address, CLUSTER_KEY)]);
  const read = busy.get(ID, {});
  await until(() => door.reads === 1);
  sessions.forEach((session) => session.drain());
  await until(() => !idle.isOpen);
  expect(busy.isOpen).toBe(true);
  const late = failureOf(busy.get(ID, {}));
  gate.resolve();
  expect((await read).equals(CHUNK)).toBe(true);
  expect(await late).toMatchObject({ message: "the connection ended" });
  await Promise.all(sessions.map(({ ended }) => ended));
  expect(door.reads).toBe(1);
});

test("a caller who leaves in mid-chunk leaves nothing behind", async () => {
  for (let time = 0; time < 20; time++) {
    const caller = await Caller.connect();
    caller.send(caller.frame({ kind: "put", length: CHUNK.length }), CHUNK.subarray(0, 70_000));
    caller.leave();
  }
  expect(door.store.chunks.size).toBe(0);
  await allIsWell();
});

test("sixty-four small chunks at once, among large ones: each comes back as it was put", async () => {
  const session = await openChunkStream(address, CLUSTER_KEY);
  const chunks = Array.from({ length: limits.nodeStreamRequestsMax }, (_, index) =>
    randomBytes(index % 16 === 0 ? limits.chunkBytesMax : 4 * KiB),
  );
  await Promise.all(chunks.map((bytes) => session.put(chunkIdOf(bytes), bytes)));
  const read = await Promise.all(chunks.map((bytes) => session.get(chunkIdOf(bytes), {})));
  expect(read.every((bytes, index) => bytes.equals(chunks[index]!))).toBe(true);
  await session.close();
  await allIsWell();
});

function flipped(frame: Buffer, at: number): Buffer {
  frame[at]! ^= 1;
  return frame;
}

function twice(frame: Buffer): Buffer[] {
  return [frame, frame];
}

function ofAnotherSession(): Buffer {
  const key = sessionKeyOf(CLUSTER_KEY, PROTOCOL, { request: "another", answer: "session" });
  return encodeRequest({ kind: "get", number: 1, length: 0, id: ID }, key);
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}

function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

test("chunks that come in one bundle: each is stored or refused by itself, and none can do without its own name", async () => {
  const [one, held, other] = [randomBytes(10), randomBytes(4 * KiB), randomBytes(20 * KiB)];
  await door.store.put(chunkIdOf(held), held);
  const session = await openChunkStream(address, CLUSTER_KEY);
  expect(session.takesBundles).toBe(true);
  const chunks = [
    { id: chunkIdOf(one), bytes: one },
    { id: ID, bytes: randomBytes(10) },
    { id: chunkIdOf(held), bytes: held },
    { id: chunkIdOf(other), bytes: other },
  ];
  const outcomes = await session.putAll(chunks);
  expect(outcomes.map(({ kind }) => kind)).toEqual(["stored", "refusal", "held", "stored"]);
  expect(door.store.chunks.has(ID)).toBe(false);
  for (const bytes of [one, held, other]) expect((await session.get(chunkIdOf(bytes), {})).equals(bytes)).toBe(true);
  await session.close();
  await allIsWell();
});

test("cut off while it was full: what was to come next is not begun, and takes no memory", async () => {
  const gate = Promise.withResolvers<void>();
  door.gate = gate.promise;
  const caller = await Caller.connect();
  const gets = Array.from({ length: limits.nodeStreamRequestsMax }, () => caller.frame({ kind: "get" }));
  caller.send(...gets, caller.frame({ kind: "put", length: limits.chunkBytesMax }));
  await vi.waitFor(() => expect(door.reads).toBe(limits.nodeStreamRequestsMax));
  sessions[0]!.cut();
  gate.resolve();
  await sessions[0]!.ended;
  await delay(50); // the answers that nobody gets any more
  expect(door.memory.usedBytes).toBe(0);
});
