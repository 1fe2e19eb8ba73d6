/** As a program of somebody else would speak to a node: grpc-js and the generated messages, nothing of ours between. */
import { createHmac, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import { create, type DescMessage, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import { chunkIdOf } from "@holdfast/core/chunking";
import { createLogger, KiB, limits, MiB } from "@holdfast/core/kernel";
import { type ServiceHandlers, StorageService } from "@holdfast/core/protocol";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { CLUSTER_KEY, startTestNode, type TestNode } from "../testing/index.ts";
import { startStorageService } from "./listen.ts";

const UNKNOWN = "0".repeat(64);
type Method = keyof typeof StorageService.method;
type Init = Record<string, unknown>;

let node: TestNode;
let client: grpc.Client;
beforeEach(async () => {
  node = await startTestNode();
  client = new grpc.Client(`127.0.0.1:${node.grpcPort}`, grpc.credentials.createInsecure());
});
afterEach(async () => {
  client.close();
  await node.drop();
});

const pathOf = (method: Method) => `/holdfast.v1.StorageService/${StorageService.method[method].name}`;
const writer = (schema: DescMessage) => (message: Init) =>
  Buffer.from(toBinary(schema, create(schema, message as MessageInitShape<DescMessage>)));
const reader = (schema: DescMessage) => (bytes: Buffer) => fromBinary(schema, bytes) as unknown as Init;

function signature(
  method: Method,
  { key = CLUSTER_KEY, time = Date.now(), nonce = randomBytes(12).toString("base64url") } = {},
): grpc.Metadata {
  const metadata = new grpc.Metadata();
  metadata.set("holdfast-time", String(time));
  metadata.set("holdfast-nonce", nonce);
  metadata.set(
    "holdfast-signature",
    createHmac("sha256", key)
      .update(`GRPC\n${pathOf(method)}\n${time}\n${nonce}`)
      .digest("hex"),
  );
  return metadata;
}

function ask(method: Method, request: Init, metadata = signature(method)): Promise<Init> {
  const { input, output } = StorageService.method[method];
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(pathOf(method), writer(input), reader(output), request, metadata, (error, answer) =>
      error === null ? resolve(answer!) : reject(error),
    );
  });
}

function openPut(metadata = signature("putChunk")) {
  const answer = Promise.withResolvers<Init>();
  const { input, output } = StorageService.method.putChunk;
  const call = client.makeClientStreamRequest(pathOf("putChunk"), writer(input), reader(output), metadata, (error, value) =>
    error === null ? answer.resolve(value!) : answer.reject(error),
  );
  return { call, answer: answer.promise };
}

const header = (id: string, length: number) => ({ message: { case: "header", value: { id, length } } });
const data = (value: Buffer) => ({ message: { case: "data", value } });

function put(messages: Init[], metadata?: grpc.Metadata): Promise<Init> {
  const { call, answer } = openPut(metadata);
  for (const message of messages) call.write(message);
  call.end();
  return answer;
}

function framesOf(bytes: Buffer): Init[] {
  const count = Math.ceil(bytes.length / (64 * KiB));
  return Array.from({ length: count }, (_, index) => data(bytes.subarray(index * 64 * KiB, (index + 1) * 64 * KiB)));
}

const putWhole = (bytes: Buffer, id: string = chunkIdOf(bytes)) => put([header(id, bytes.length), ...framesOf(bytes)]);

async function get(id: string): Promise<{ bytes: Buffer; frames: number[]; length: unknown }> {
  const { input, output } = StorageService.method.getChunk;
  const call = client.makeServerStreamRequest(pathOf("getChunk"), writer(input), reader(output), { id }, signature("getChunk"));
  const messages: Init[] = [];
  for await (const message of call as AsyncIterable<Init>) messages.push(message);
  const frames = messages.map((message) => message["data"] as Buffer);
  return { bytes: Buffer.concat(frames), frames: frames.map(({ length }) => length), length: messages[0]!["length"] };
}

function refusal(status: grpc.status, error: string): object {
  return { code: status, metadata: expect.toSatisfy((metadata: grpc.Metadata) => metadata.get("holdfast-error")[0] === error) as unknown };
}

test.each([1, 64 * KiB, 64 * KiB + 1, limits.chunkBytesMax])("a chunk of %i bytes comes back as it was put", async (length) => {
  const bytes = randomBytes(length);
  const id = chunkIdOf(bytes);
  expect(await putWhole(bytes)).toMatchObject({ stored: true });
  const got = await get(id);
  expect(got.bytes.equals(bytes)).toBe(true);
  expect(got.length).toBe(length);
  expect(Math.max(...got.frames)).toBeLessThanOrEqual(64 * KiB);
  expect(await ask("statChunk", { id })).toMatchObject({ length });
});

test("what is put over gRPC is read over HTTP, and the other way round: it is one store", async () => {
  const [first, second] = [randomBytes(100_000), randomBytes(100_000)];
  await putWhole(first);
  expect((await node.client.get(chunkIdOf(first))).equals(first)).toBe(true);
  await node.client.put(chunkIdOf(second), second);
  expect((await get(chunkIdOf(second))).bytes.equals(second)).toBe(true);
  expect(await putWhole(second)).toMatchObject({ stored: false });
});

test("frames of any length make the same chunk", async () => {
  const bytes = randomBytes(10_000);
  const id = chunkIdOf(bytes);
  await put([header(id, bytes.length), data(bytes.subarray(0, 1)), data(Buffer.alloc(0)), data(bytes.subarray(1))]);
  expect((await get(id)).bytes.equals(bytes)).toBe(true);
});

test("pages of the list join", async () => {
  const chunks = await Promise.all(Array.from({ length: 5 }, async () => randomBytes(100)));
  await Promise.all(chunks.map((bytes) => putWhole(bytes)));
  const listed: string[] = [];
  for (let after = ""; ; after = listed.at(-1)!) {
    const { chunks: page } = (await ask("listChunks", { after, limit: 2 })) as { chunks: { id: string; length: number }[] };
    if (page.length === 0) break;
    listed.push(...page.map(({ id }) => id));
  }
  expect(listed).toEqual(chunks.map((bytes) => chunkIdOf(bytes)).toSorted());
});

test("a node is told to fetch a chunk from another, and says which sources were bad", async () => {
  const source = await startTestNode();
  const bytes = randomBytes(100_000);
  const id = chunkIdOf(bytes);
  await source.client.put(id, bytes);
  const sources = [
    { nodeId: 7, host: "127.0.0.1", port: 1 },
    { nodeId: 8, host: "127.0.0.1", port: source.port },
  ];
  const answer = await ask("replicateChunk", { id, sources, epoch: 1n });
  expect(answer).toMatchObject({ stored: true, length: 100_000, bad: [{ nodeId: 7, reason: "store.unreachable" }] });
  expect((await get(id)).bytes.equals(bytes)).toBe(true);
  await source.drop();
});

test("a health check says how the store is, and the newest epoch", async () => {
  await putWhole(randomBytes(1_000));
  expect(await ask("deleteChunk", { id: UNKNOWN, epoch: 3n })).toMatchObject({ deleted: false });
  expect(await ask("healthCheck", {})).toMatchObject({ chunkCount: 1n, usedBytes: 1_000n, writable: true, epoch: 3n });
});

describe("each refusal has its status and its code:", () => {
  const bytes = randomBytes(1_000);
  const id = chunkIdOf(bytes);

  test("INVALID_ARGUMENT for a name that is none, wherever it stands", async () => {
    const badId = refusal(grpc.status.INVALID_ARGUMENT, "chunk.bad_id");
    for (const name of ["", "../../etc/passwd", id.toUpperCase(), `${id}0`]) {
      await expect(putWhole(bytes, name)).rejects.toMatchObject(badId);
      await expect(get(name)).rejects.toMatchObject(badId);
      await expect(ask("statChunk", { id: name })).rejects.toMatchObject(badId);
      await expect(ask("deleteChunk", { id: name, epoch: 1n })).rejects.toMatchObject(badId);
      await expect(ask("replicateChunk", { id: name, epoch: 1n })).rejects.toMatchObject(badId);
    }
    await expect(ask("listChunks", { after: "x" })).rejects.toMatchObject(badId);
    await expect(ask("listChunks", { limit: 1_001 })).rejects.toMatchObject(refusal(grpc.status.INVALID_ARGUMENT, "list.bad_page"));
  });

  test.each<[string, string, Init[]]>([
    ["other bytes than the name says", "chunk.mismatch", [header(id, 1_000), data(randomBytes(1_000))]],
    ["fewer bytes than promised", "chunk.mismatch", [header(id, 1_000), data(bytes.subarray(1))]],
    ["more bytes than promised", "chunk.mismatch", [header(id, 999), data(bytes)]],
    ["a length of nothing", "chunk.bad_length", [header(id, 0)]],
    ["a length beyond a chunk's", "chunk.bad_length", [header(id, limits.chunkBytesMax + 1)]],
    ["no header", "command.invalid", [data(bytes)]],
    ["two headers", "command.invalid", [header(id, 1_000), header(id, 1_000)]],
    ["no message at all", "command.invalid", []],
  ])("INVALID_ARGUMENT for %s", async (_what, code, messages) => {
    await expect(put(messages)).rejects.toMatchObject(refusal(grpc.status.INVALID_ARGUMENT, code));
    expect(await node.client.stat(id)).toBeUndefined();
    expect(await putWhole(bytes)).toMatchObject({ stored: true });
  });

  test("INVALID_ARGUMENT for a command without its epoch or its sources", async () => {
    const invalid = refusal(grpc.status.INVALID_ARGUMENT, "command.invalid");
    const sources = [{ nodeId: 1, host: "127.0.0.1", port: 7101 }];
    await expect(ask("deleteChunk", { id })).rejects.toMatchObject(invalid);
    await expect(ask("replicateChunk", { id, sources })).rejects.toMatchObject(invalid);
    await expect(ask("replicateChunk", { id, epoch: 1n })).rejects.toMatchObject(invalid);
    await expect(ask("replicateChunk", { id, epoch: 1n, sources: [{ nodeId: 1, host: "a/b", port: 1 }] })).rejects.toMatchObject(invalid);
  });

  test("NOT_FOUND for a chunk that nobody put", async () => {
    const unknown = refusal(grpc.status.NOT_FOUND, "chunk.not_found");
    await expect(get(UNKNOWN)).rejects.toMatchObject(unknown);
    await expect(ask("statChunk", { id: UNKNOWN })).rejects.toMatchObject(unknown);
  });

  test("DATA_LOSS for one that rotted, of which not a byte is sent", async () => {
    await putWhole(bytes);
    await node.damage(id);
    await expect(get(id)).rejects.toMatchObject(refusal(grpc.status.DATA_LOSS, "chunk.corrupt"));
  });

  test("RESOURCE_EXHAUSTED for a full disk", async () => {
    await node.commands.simulate({ kind: "disk-full", seconds: 60 });
    await expect(putWhole(bytes)).rejects.toMatchObject(refusal(grpc.status.RESOURCE_EXHAUSTED, "store.full"));
  });

  test("ABORTED for the command of a leader that was replaced, and nothing is deleted", async () => {
    await putWhole(bytes);
    await node.commands.trash([], 1);
    await ask("deleteChunk", { id: UNKNOWN, epoch: 9n });
    const stale = refusal(grpc.status.ABORTED, "store.stale_epoch");
    await expect(ask("deleteChunk", { id, epoch: 8n })).rejects.toMatchObject(stale);
    const sources = [{ nodeId: 1, host: "127.0.0.1", port: 7101 }];
    await expect(ask("replicateChunk", { id, sources, epoch: 8n })).rejects.toMatchObject(stale);
    expect(await ask("statChunk", { id })).toMatchObject({ length: 1_000 });
  });

  test("UNAVAILABLE when no source is whole, and from a node that belongs to no cluster yet", async () => {
    const sources = [{ nodeId: 1, host: "127.0.0.1", port: 1 }];
    const away = refusal(grpc.status.UNAVAILABLE, "chunk.no_source");
    await expect(ask("replicateChunk", { id, sources, epoch: 1n })).rejects.toMatchObject(away);
    const alone = await startTestNode({ directory: `${node.directory}-new` });
    client.close();
    client = new grpc.Client(`127.0.0.1:${alone.grpcPort}`, grpc.credentials.createInsecure());
    await expect(ask("healthCheck", {})).rejects.toMatchObject(refusal(grpc.status.UNAVAILABLE, "node.unregistered"));
    await alone.drop();
  });
});

describe.each(Object.keys(StorageService.method) as Method[])("%s lets nobody in", (method) => {
  const call = (metadata: grpc.Metadata): Promise<unknown> => {
    if (method === "putChunk") return put([], metadata);
    if (method !== "getChunk") return ask(method, {}, metadata);
    const { input, output } = StorageService.method.getChunk;
    const stream = client.makeServerStreamRequest(pathOf(method), writer(input), reader(output), {}, metadata);
    return once(stream.resume(), "end");
  };
  const refused = refusal(grpc.status.UNAUTHENTICATED, "call.unauthenticated");

  test.each<[string, () => grpc.Metadata]>([
    ["without a signature", () => new grpc.Metadata()],
    ["with another cluster's key", () => signature(method, { key: "another-key-another-key-another-key" })],
    ["with a signature that is too old", () => signature(method, { time: Date.now() - limits.signatureWindowMs - 1_000 })],
    ["with a signature for another method", () => signature(method === "statChunk" ? "getChunk" : "statChunk")],
  ])("%s", async (_how, metadata) => {
    await expect(call(metadata())).rejects.toMatchObject(refused);
  });

  test("with a signature that was used before", async () => {
    const captured = signature(method);
    const first = await call(captured).catch(({ code }: grpc.ServiceError) => code);
    expect(first).not.toBe(grpc.status.UNAUTHENTICATED);
    await expect(call(captured)).rejects.toMatchObject(refused);
  });
});

test("callers that leave in mid-chunk, many more than there is memory for, leave nothing behind and the node goes on", async () => {
  const bytes = randomBytes(MiB);
  for (let index = 0; index < 20; index++) {
    const { call, answer } = openPut();
    call.write(header(chunkIdOf(bytes), bytes.length));
    call.write(data(bytes.subarray(0, 64 * KiB)));
    setImmediate(() => call.cancel());
    await expect(answer).rejects.toMatchObject({ code: grpc.status.CANCELLED });
  }
  expect(await node.client.stat(chunkIdOf(bytes))).toBeUndefined();
  expect(await putWhole(bytes)).toMatchObject({ stored: true });
});

test("readers that leave in mid-chunk give their memory back", async () => {
  const bytes = randomBytes(limits.chunkBytesMax);
  await putWhole(bytes);
  const { input, output } = StorageService.method.getChunk;
  for (let index = 0; index < 20; index++) {
    const metadata = signature("getChunk");
    const call = client.makeServerStreamRequest(pathOf("getChunk"), writer(input), reader(output), { id: chunkIdOf(bytes) }, metadata);
    call.on("error", () => undefined);
    await once(call, "data");
    call.cancel();
  }
  expect((await get(chunkIdOf(bytes))).bytes.equals(bytes)).toBe(true);
});

test("many of the longest chunks at once, both ways: all arrive whole", async () => {
  const chunks = Array.from({ length: 12 }, () => randomBytes(limits.chunkBytesMax));
  await Promise.all(chunks.map((bytes) => putWhole(bytes)));
  const read = await Promise.all(chunks.map((bytes) => get(chunkIdOf(bytes))));
  expect(read.every(({ bytes }, index) => bytes.equals(chunks[index]!))).toBe(true);
});

test("a frame that is far too long is refused", async () => {
  const bytes = randomBytes(MiB);
  await expect(put([header(chunkIdOf(bytes), bytes.length), data(bytes)])).rejects.toMatchObject({ code: grpc.status.RESOURCE_EXHAUSTED });
});

test("a port that was asked for and is taken is one line that names the setting", async () => {
  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  const { port } = taken.address() as { port: number };
  await expect(startTestNode({ grpcPort: port })).rejects.toThrow(/HOLDFAST_NODE_GRPC_PORT/);
  taken.close();
});

test("a port that nobody asked for is taken: the node serves on another one", async () => {
  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  const { port } = taken.address() as { port: number };
  const logger = createLogger("test", "silent");
  const service = {} as ServiceHandlers<typeof StorageService>; // nobody calls it
  const listening = { bind: "127.0.0.1", port: undefined, httpPort: port - 100, clusterKey: CLUSTER_KEY, logger };
  const server = await startStorageService(service, listening);
  expect(server.port).not.toBe(port);
  await server.stop();
  taken.close();
});
