/** The node's side is written by hand here: bytes as the protocol has them, and as it does not. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { afterEach, expect, test, vi } from "vitest";
import type { ChunkStore } from "../chunk-store/index.ts";
import { chunkIdOf } from "../chunking/index.ts";
import { limits } from "../kernel/index.ts";
import { createManualClock } from "../testing/index.ts";
import { HttpChunkStore } from "./http-chunk-store.ts";
import { NodeConnection } from "./node-connection.ts";
import { StreamedChunkStore } from "./streamed-chunk-store.ts";

const CHUNK = randomBytes(100_000);
const ID = chunkIdOf(CHUNK);
const UNREACHABLE = { code: "store.unreachable" };
const [PUT, GET, CANCEL, BUNDLE] = [0, 1, 2, 5];
const [STORED, HELD, A_CHUNK, REFUSAL, OUTCOMES] = [0, 1, 2, 3, 6];
const REQUEST_BYTES = 60;

let leave: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of leave.splice(0)) await step();
});

interface Asked {
  kind: number;
  number: number;
  body: Buffer;
  stream: Stream;
}

/** The node's end of a chunk stream. */
class Stream {
  readonly socket: Socket;

  constructor(socket: Socket, onAsked: (asked: Asked) => void) {
    this.socket = socket.on("error", () => undefined);
    let unread = Buffer.alloc(0);
    socket.on("data", (part: Buffer) => {
      unread = Buffer.concat([unread, part]);
      while (unread.length >= REQUEST_BYTES && unread.length >= REQUEST_BYTES + unread.readUInt32BE(8)) {
        const end = REQUEST_BYTES + unread.readUInt32BE(8);
        onAsked({ kind: unread[0]!, number: unread.readUIntBE(2, 6), body: unread.subarray(REQUEST_BYTES, end), stream: this });
        unread = unread.subarray(end);
      }
    });
  }

  head(kind: number, number: number, length: number): void {
    const header = Buffer.alloc(12);
    header[0] = kind;
    header.writeUIntBE(number, 2, 6);
    header.writeUInt32BE(length, 8);
    this.socket.write(header);
  }

  answer(kind: number, number: number, body: Buffer = Buffer.alloc(0)): void {
    this.head(kind, number, body.length);
    this.socket.write(body);
  }
}

const clock = createManualClock();

/** A store whose node opens chunk streams and then does as it is told, and over HTTP behaves as `http`. */
async function storeOf(
  onAsked: (asked: Asked) => void,
  http: RequestListener = (_req, res) => res.writeHead(500).end(),
  hello = "Holdfast-Bundles: 1\r\n",
): Promise<ChunkStore> {
  const server = createServer(http).listen(0, "127.0.0.1");
  const streams: Stream[] = [];
  server.on("upgrade", (_req, socket: Socket) => {
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: holdfast-chunks/1\r\nHoldfast-Nonce: x\r\n${hello}\r\n`,
    );
    streams.push(new Stream(socket, onAsked));
  });
  return await storeAt(server, () => streams.forEach(({ socket }) => socket.destroy()));
}

async function storeAt(server: ReturnType<typeof createServer>, cut: () => void = () => undefined): Promise<ChunkStore> {
  await once(server, "listening");
  const node = new NodeConnection(`127.0.0.1:${(server.address() as AddressInfo).port}`, "test-cluster-key-test-cluster-key");
  const store = new StreamedChunkStore(node, new HttpChunkStore(node), clock);
  leave.push(
    cut,
    () => server.closeAllConnections(),
    () => server.close(),
    () => store.close(),
  );
  return store;
}

test("what is answered is what was asked: stored, held already, a chunk, a refusal in the node's words", async () => {
  const refusal = { error: "store.full", message: "No room.", freeBytes: 7 };
  const store = await storeOf(({ kind, number, body, stream }) => {
    if (kind === GET) stream.answer(A_CHUNK, number, CHUNK);
    else if (body.equals(CHUNK)) stream.answer(STORED, number);
    else if (body.length === 1) stream.answer(HELD, number);
    else stream.answer(REFUSAL, number, Buffer.from(JSON.stringify(refusal)));
  });
  expect(await store.put(ID, CHUNK)).toEqual({ stored: true });
  expect(await store.put(ID, Buffer.from("x"))).toEqual({ stored: false });
  expect((await store.get(ID)).equals(CHUNK)).toBe(true);
  await expect(store.put(ID, Buffer.from("xy"))).rejects.toMatchObject({
    code: "store.full",
    message: "No room.",
    details: { freeBytes: 7 },
  });
});

const changed = Buffer.from(CHUNK);
changed[50_000]! ^= 1;

test.each<[string, (asked: Asked) => void]>([
  ["a chunk that changed on its way", ({ number, stream }) => stream.answer(A_CHUNK, number, changed)],
  ["an answer that breaks off", ({ number, stream }) => (stream.head(A_CHUNK, number, CHUNK.length), stream.socket.end(CHUNK.subarray(1)))],
  ["an answer longer than a chunk can be", ({ number, stream }) => stream.head(A_CHUNK, number, limits.chunkBytesMax + 1)],
  ["an answer without a byte", ({ number, stream }) => stream.answer(A_CHUNK, number)],
  ["a refusal without an end", ({ number, stream }) => stream.head(REFUSAL, number, 2 ** 32 - 1)],
  [
    "a refusal that no client knows",
    ({ number, stream }) => stream.answer(REFUSAL, number, Buffer.from(`{"error":"internal","message":"no"}`)),
  ],
  ["a refusal that is no JSON", ({ number, stream }) => stream.answer(REFUSAL, number, Buffer.from("<html>"))],
  ["an answer to a put", ({ number, stream }) => stream.answer(STORED, number)],
  ["an answer to nobody", ({ number, stream }) => stream.answer(A_CHUNK, number + 1, CHUNK)],
  ["an answer of no known kind", ({ number, stream }) => stream.answer(9, number, CHUNK)],
  ["a page of another service", ({ stream }) => stream.socket.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")],
  ["noise", ({ stream }) => stream.socket.write(randomBytes(1_000))],
  ["a hang-up", ({ stream }) => stream.socket.destroy()],
])("%s is no chunk, and the node's copy is not blamed", async (_what, behave) => {
  const into = Buffer.alloc(limits.chunkBytesMax);
  const store = await storeOf(behave);
  await expect(store.get(ID, { into })).rejects.toMatchObject(UNREACHABLE);
});

const SMALL = Array.from({ length: 20 }, (_, index) => randomBytes(4_000 + index)).map((bytes) => ({ id: chunkIdOf(bytes), bytes }));

test("small chunks of one moment go together, a large one does not wait for them, and each hears what became of it", async () => {
  const kinds: number[] = [];
  const refusal = Buffer.from(JSON.stringify({ error: "store.full", message: "Full." }));
  const store = await storeOf(({ kind, number, body, stream }) => {
    kinds.push(kind);
    if (kind === PUT) return stream.answer(STORED, number);
    const outcomes = Array.from({ length: body.readUInt16BE() }, (_, index) =>
      index === 1 ? [REFUSAL - 1, 0, 0, 0, refusal.length] : [HELD, 0, 0, 0, 0],
    );
    stream.answer(
      OUTCOMES,
      number,
      Buffer.concat(outcomes.flatMap((start, index) => (index === 1 ? [Buffer.from(start), refusal] : [Buffer.from(start)]))),
    );
  });
  const puts = [...SMALL, { id: ID, bytes: CHUNK }].map(({ id, bytes }) => store.put(id, bytes));
  const told = await Promise.allSettled(puts);
  expect(kinds.toSorted((one, other) => one - other)).toEqual([PUT, BUNDLE, BUNDLE]);
  expect(told.at(-1)).toEqual({ status: "fulfilled", value: { stored: true } });
  expect(told.filter(({ status }) => status === "rejected").map((put) => (put as PromiseRejectedResult).reason)).toEqual([
    expect.objectContaining({ code: "store.full" }),
    expect.objectContaining({ code: "store.full" }),
  ]);
});

test("a small chunk that comes alone goes alone", async () => {
  const kinds: number[] = [];
  const store = await storeOf(({ kind, number, stream }) => (kinds.push(kind), stream.answer(STORED, number)));
  expect(await store.put(SMALL[0]!.id, SMALL[0]!.bytes)).toEqual({ stored: true });
  expect(kinds).toEqual([PUT]);
});

test("a node of a time before bundles gets each small chunk by itself", async () => {
  const put: Buffer[] = [];
  const onAsked = ({ kind, number, body, stream }: Asked) => {
    if (kind === PUT) put.push(body);
    stream.answer(
      body.equals(SMALL[3]!.bytes) ? REFUSAL : STORED,
      number,
      body.equals(SMALL[3]!.bytes) ? Buffer.from('{"error":"store.full","message":"Full."}') : undefined,
    );
  };
  const store = await storeOf(onAsked, undefined, "");
  const told = await Promise.allSettled(SMALL.map(({ id, bytes }) => store.put(id, bytes)));
  expect(put).toEqual(SMALL.map(({ bytes }) => bytes));
  expect(told.map(({ status }) => status).indexOf("rejected")).toBe(3);
  expect(told.filter(({ status }) => status === "rejected")).toHaveLength(1);
});

test("a node of a time before bundles breaks off: what it has stored counts, and only the rest is not there", async () => {
  let stored = 0;
  const store = await storeOf(({ number, stream }) => (stored++ < 10 ? stream.answer(STORED, number) : stream.socket.end()), undefined, "");
  const told = await Promise.allSettled(SMALL.map(({ id, bytes }) => store.put(id, bytes)));
  expect(told.filter(({ status }) => status === "fulfilled")).toHaveLength(10);
});

test("many tiny chunks, and all are refused: each hears why, and the stream goes on", async () => {
  const streams = new Set<Stream>();
  const refusal = Buffer.from(JSON.stringify({ error: "store.full", message: "x".repeat(1_000) }));
  const outcome = Buffer.from([REFUSAL - 1, 0, 0, 0, 0]);
  outcome.writeUInt32BE(refusal.length, 1);
  const store = await storeOf(({ kind, number, body, stream }) => {
    streams.add(stream);
    if (kind === PUT) return stream.answer(STORED, number);
    stream.answer(OUTCOMES, number, Buffer.concat(Array.from({ length: body.readUInt16BE() }, () => [outcome, refusal]).flat()));
  });
  const tiny = Array.from({ length: 600 }, () => randomBytes(16));
  const told = await Promise.allSettled(tiny.map((bytes) => store.put(chunkIdOf(bytes), bytes)));
  const reasons = told.map((put) => (put as PromiseRejectedResult).reason as unknown);
  expect(reasons).toEqual(Array.from(tiny, () => expect.objectContaining({ code: "store.full" })));
  expect(await store.put(SMALL[0]!.id, SMALL[0]!.bytes)).toEqual({ stored: true });
  expect(streams.size).toBe(1);
});

test("an answer to another bundle ends the stream: what comes next is asked on a new one", async () => {
  const streams = new Set<Stream>();
  const store = await storeOf(({ kind, number, stream }) => {
    streams.add(stream);
    if (kind === PUT) stream.answer(STORED, number);
    else stream.answer(OUTCOMES, number, Buffer.from([0, 0, 0, 0, 0]));
  });
  for (const put of SMALL.slice(0, 3).map(({ id, bytes }) => store.put(id, bytes))) await expect(put).rejects.toMatchObject(UNREACHABLE);
  expect(await store.put(SMALL[0]!.id, SMALL[0]!.bytes)).toEqual({ stored: true });
  expect(streams.size).toBe(2);
});

test("closing waits for what was put in the same moment", async () => {
  let asked = 0;
  const store = await storeOf(({ number, stream }) => (asked++, stream.answer(STORED, number)));
  const put = store.put(SMALL[0]!.id, SMALL[0]!.bytes);
  leave.pop(); // which closes the store
  await store.close();
  expect(asked).toBe(1);
  expect(await put).toEqual({ stored: true });
});

test("the stream breaks under a bundle: all in it hear it", async () => {
  const store = await storeOf(({ stream }) => stream.socket.destroy());
  for (const put of SMALL.map(({ id, bytes }) => store.put(id, bytes))) await expect(put).rejects.toMatchObject(UNREACHABLE);
});

test("answers come in any order, each to its own question", async () => {
  const asked: Asked[] = [];
  const store = await storeOf((request) => {
    asked.push(request);
    if (asked.length === 20) for (const { number, stream } of asked.toReversed()) stream.answer(A_CHUNK, number, CHUNK);
  });
  const chunks = await Promise.all(Array.from({ length: 20 }, () => store.get(ID)));
  expect(chunks.every((chunk) => chunk.equals(CHUNK))).toBe(true);
});

test("a reader who leaves before his answer tells the node, and the stream goes on: what comes late reaches nobody's memory", async () => {
  const kinds: number[] = [];
  const first = Promise.withResolvers<Asked>();
  const cancelled = Promise.withResolvers<Asked>();
  const store = await storeOf((asked) => {
    kinds.push(asked.kind);
    if (asked.kind === CANCEL) cancelled.resolve(asked);
    else if (kinds.length === 1) first.resolve(asked);
    else asked.stream.answer(A_CHUNK, asked.number, CHUNK);
  });
  const leaving = new AbortController();
  const into = Buffer.alloc(CHUNK.length);
  const failure = failureOf(store.get(ID, { into, signal: leaving.signal }));
  const { number, stream } = await first.promise;
  leaving.abort();
  expect(await failure).toMatchObject(UNREACHABLE);
  expect((await cancelled.promise).number).toBe(number);
  stream.answer(A_CHUNK, number, CHUNK);
  const second = await store.get(ID);
  expect(second.equals(CHUNK)).toBe(true);
  expect(into.equals(Buffer.alloc(CHUNK.length))).toBe(true);
  expect(stream.socket.destroyed).toBe(false);
  await expect(store.get(ID, { signal: leaving.signal })).rejects.toMatchObject(UNREACHABLE);
});

test("a reader who leaves in mid-answer takes the stream along; who else was on it is answered on another one", async () => {
  const count = 3 * limits.nodeReadStreams;
  const atNode: Asked[] = [];
  const allAsked = Promise.withResolvers<void>();
  const answer = ({ number, stream }: Asked): void => stream.answer(A_CHUNK, number, CHUNK);
  const store = await storeOf((asked) => {
    if (atNode.push(asked) > count) answer(asked);
    if (atNode.length === count) allAsked.resolve();
  });
  const leaving = new AbortController();
  const into = Buffer.alloc(CHUNK.length);
  const failure = failureOf(store.get(ID, { into, signal: leaving.signal }));
  const others = Promise.all(Array.from({ length: count - 1 }, () => store.get(ID)));
  await allAsked.promise;

  const { number, stream } = atNode[0]!;
  expect(atNode.filter((asked) => asked.stream === stream)).toHaveLength(3);
  stream.head(A_CHUNK, number, CHUNK.length);
  stream.socket.write(CHUNK.subarray(0, 70_000));
  await vi.waitFor(() => expect(into.equals(Buffer.alloc(CHUNK.length))).toBe(false), { timeout: 10_000 });
  leaving.abort();
  expect(await failure).toMatchObject(UNREACHABLE);
  atNode.filter((asked) => asked.stream !== stream).forEach(answer);
  expect((await others).every((chunk) => chunk.equals(CHUNK))).toBe(true);
  expect(atNode).toHaveLength(count + 2);
});

test("the node's own end breaks all that is under way, and the next request finds it on a new stream", async () => {
  let isBroken = false;
  const store = await storeOf(({ number, stream }) => {
    if (isBroken) return stream.answer(A_CHUNK, number, CHUNK);
    isBroken = true;
    stream.socket.destroy();
  });
  await expect(store.get(ID)).rejects.toMatchObject(UNREACHABLE);
  expect((await store.get(ID)).equals(CHUNK)).toBe(true);
});

test("a node of a time before chunk streams is spoken to by HTTP, and asked again after a while", async () => {
  let upgrades = 0;
  const held = new Map<string, Buffer>();
  const server = createServer((req, res) => {
    if (req.headers.upgrade !== undefined) {
      upgrades++;
      return void res.writeHead(404).end(`{"error":"request.not_found","message":""}`);
    }
    if (req.method === "GET") return void res.end(held.get(req.url!));
    const parts: Buffer[] = [];
    req
      .on("data", (part: Buffer) => parts.push(part))
      .on("end", () => {
        held.set(req.url!, Buffer.concat(parts));
        res.writeHead(201).end();
      });
  }).listen(0, "127.0.0.1");
  const store = await storeAt(server);
  expect(await store.put(ID, CHUNK)).toEqual({ stored: true });
  expect((await store.get(ID)).equals(CHUNK)).toBe(true);
  expect(upgrades).toBe(1);
  clock.advance(limits.nodeStreamRetryMs);
  expect((await store.get(ID)).equals(CHUNK)).toBe(true);
  expect(upgrades).toBe(2);
});

test("a refusal of the stream itself is told as over HTTP", async () => {
  const server = createServer((_req, res) => res.writeHead(401).end()).listen(0, "127.0.0.1");
  const store = await storeAt(server);
  await expect(store.get(ID)).rejects.toMatchObject({ code: "store.unauthenticated" });
});

function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}
