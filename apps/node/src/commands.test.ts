import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type ChunkId, chunkIdOf } from "@holdfast/core/chunking";
import { limits, MiB } from "@holdfast/core/kernel";
import type { NodeAddress } from "@holdfast/core/node-client";
import { signRequest } from "@holdfast/core/request-signing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { CLUSTER_KEY, startTestNode, type TestNode } from "./testing/index.ts";

const NOBODY: NodeAddress = { id: 9, host: "127.0.0.1", port: 1 };
const STALE = { code: "store.stale_epoch" };

let source: TestNode;
let target: TestNode;
beforeEach(async () => {
  [source, target] = await Promise.all([startTestNode({ store: "file" }), startTestNode({ store: "segment" })]);
  for (const { commands } of [source, target]) await commands.scrub({ action: "stop" }); // it would find a test's damage first
});
afterEach(() => Promise.all([source.drop(), target.drop()]));

async function putChunk(node: TestNode, length = 100_000): Promise<{ id: ChunkId; bytes: Buffer }> {
  const bytes = randomBytes(length);
  const id = chunkIdOf(bytes);
  await node.client.put(id, bytes);
  return { id, bytes };
}

const at = (node: TestNode, id: number): NodeAddress => ({ ...node.address, id });

describe("replicate", () => {
  test("a node fetches a chunk from another, and holds it", async () => {
    const { id, bytes } = await putChunk(source);
    expect(await target.commands.replicate(id, [at(source, 3)], 1)).toEqual({ stored: true, length: 100_000, bad: [] });
    expect((await target.client.get(id)).equals(bytes)).toBe(true);
  });

  test("a chunk with more copies than one command may name sources: the first of them are enough", async () => {
    const { id } = await putChunk(source);
    const sources = Array.from({ length: limits.replicateSourcesMax + 1 }, (_, index) => at(source, index + 1));
    expect(await target.commands.replicate(id, sources, 1)).toMatchObject({ stored: true });
  });

  test("the first sources are damaged, missing and gone: each is told of, and the last one gives the chunk", async () => {
    const { id, bytes } = await putChunk(source);
    const third = await startTestNode();
    await third.client.put(id, bytes);
    await source.damage(id);
    const empty = await startTestNode();
    const sources = [at(source, 1), at(empty, 2), NOBODY, at(third, 4)];
    expect(await target.commands.replicate(id, sources, 1)).toMatchObject({
      stored: true,
      bad: [
        { nodeId: 1, reason: "chunk.corrupt" },
        { nodeId: 2, reason: "chunk.not_found" },
        { nodeId: 9, reason: "store.unreachable" },
      ],
    });
    expect((await target.client.get(id)).equals(bytes)).toBe(true);
    await Promise.all([third.drop(), empty.drop()]);
  });

  test("no source is whole: refused with what was wrong with each, and nothing is kept", async () => {
    const { id } = await putChunk(source);
    await source.damage(id);
    await expect(target.commands.replicate(id, [at(source, 1), NOBODY], 1)).rejects.toMatchObject({
      code: "chunk.no_source",
      details: {
        bad: [
          { nodeId: 1, reason: "chunk.corrupt" },
          { nodeId: 9, reason: "store.unreachable" },
        ],
      },
    });
    expect(await target.client.stat(id)).toBeUndefined();
  });

  test("a source that lies is no source: what it sends is not kept", async () => {
    const { id, bytes } = await putChunk(source);
    const liar = createServer((_req, res) => res.end(randomBytes(100_000))).listen(0, "127.0.0.1");
    await once(liar, "listening");
    const lying = { id: 8, host: "127.0.0.1", port: (liar.address() as AddressInfo).port };
    const { bad } = await target.commands.replicate(id, [lying, at(source, 1)], 1);
    expect(bad).toEqual([{ nodeId: 8, reason: "store.unreachable" }]);
    expect((await target.client.get(id)).equals(bytes)).toBe(true);
    liar.close();
    liar.closeAllConnections();
  });

  test("what the node holds whole is not fetched again; what it holds damaged is", async () => {
    const { id, bytes } = await putChunk(source);
    await target.client.put(id, bytes);
    expect(await target.commands.replicate(id, [NOBODY], 1)).toEqual({ stored: false, length: 100_000, bad: [] });
    await target.damage(id);
    expect(await target.commands.replicate(id, [at(source, 1)], 1)).toEqual({ stored: true, length: 100_000, bad: [] });
    expect((await target.client.get(id)).equals(bytes)).toBe(true);
  });

  test("a chunk in the trash comes back without being sent", async () => {
    const { id, bytes } = await putChunk(target);
    await source.client.put(id, bytes);
    await target.commands.trash([id], 1);
    expect(await target.commands.replicate(id, [at(source, 1)], 1)).toMatchObject({ stored: true });
    expect(await target.commands.listTrash(undefined, 10)).toEqual([]);
  });

  test("the longest chunks, many at once in both directions: all arrive, none blocks another", async () => {
    const there = await Promise.all(Array.from({ length: 12 }, () => putChunk(source, limits.chunkBytesMax)));
    const here = await Promise.all(Array.from({ length: 12 }, () => putChunk(target, 3 * MiB)));
    await Promise.all([
      ...there.map(({ id }) => target.commands.replicate(id, [at(source, 1)], 1)),
      ...here.map(({ id }) => source.commands.replicate(id, [at(target, 1)], 1)),
    ]);
    for (const { id, bytes } of there) expect((await target.client.get(id)).equals(bytes)).toBe(true);
    for (const { id, bytes } of here) expect((await source.client.get(id)).equals(bytes)).toBe(true);
  });

  test("whoever asked leaves: the source is left alone", async () => {
    const asked = Promise.withResolvers<void>();
    const left = Promise.withResolvers<void>();
    const silent = createServer((req) => {
      req.socket.once("close", () => left.resolve());
      asked.resolve();
    }).listen(0, "127.0.0.1");
    await once(silent, "listening");
    const leaving = new AbortController();
    const hanging = { id: 8, host: "127.0.0.1", port: (silent.address() as AddressInfo).port };
    const copy = target.commands.replicate(chunkIdOf(randomBytes(10)), [hanging], 1, leaving.signal);
    await asked.promise;
    leaving.abort();
    await expect(copy).rejects.toMatchObject({ code: "store.unreachable" });
    await left.promise;
    silent.close();
  });
});

test("verify reads the disk: whole, damaged, missing", async () => {
  const { id } = await putChunk(source);
  expect(await source.commands.verify(id)).toEqual({ length: 100_000 });
  await source.damage(id);
  await expect(source.commands.verify(id)).rejects.toMatchObject({ code: "chunk.corrupt" });
  await expect(source.commands.verify(id)).rejects.toMatchObject({ code: "chunk.not_found" });
});

test("a scrub that is told to hurry finds the damage, and the controller learns which chunks were lost", async () => {
  const chunks = await Promise.all(Array.from({ length: 20 }, () => putChunk(source)));
  const [damaged] = chunks as [(typeof chunks)[0]];
  await source.damage(damaged.id);
  expect(await source.commands.scrub({ action: "stop" })).toMatchObject({ running: false });
  expect(await source.commands.scrub({ action: "start" })).toMatchObject({ running: true, corruptFound: [] });
  await expect.poll(() => source.commands.scrubStatus(), { timeout: 10_000 }).toMatchObject({ running: false, progress: 1 });
  expect(await source.commands.scrubStatus()).toMatchObject({ corruptFound: [damaged.id], lastFinishedAt: expect.any(Date) as Date });
  expect(await source.commands.lostChunks(undefined, 10)).toMatchObject([{ id: damaged.id }]);
  await source.client.put(damaged.id, damaged.bytes);
  expect(await source.commands.lostChunks(undefined, 10)).toEqual([]);
});

test("more chunks than one request may name are trashed and restored all the same", async () => {
  const count = limits.trashChunksMax + 1;
  const chunks = await Promise.all(Array.from({ length: count }, () => putChunk(source, 10)));
  const ids = chunks.map(({ id }) => id);
  expect(await source.commands.trash(ids, 1)).toEqual(ids);
  expect(await source.client.stats()).toMatchObject({ chunkCount: 0 });
  expect(await source.commands.restore(ids, 1)).toEqual(ids);
});

describe("a leader who was replaced", () => {
  test("can neither copy, trash, restore nor purge: nothing happens", async () => {
    const { id } = await putChunk(source);
    const trashed = await putChunk(source);
    await source.commands.trash([trashed.id], 8);

    await expect(source.commands.trash([id], 7)).rejects.toMatchObject(STALE);
    await expect(source.commands.restore([trashed.id], 7)).rejects.toMatchObject(STALE);
    await expect(source.commands.purgeTrash(0, 7)).rejects.toMatchObject(STALE);
    await target.commands.purgeTrash(0, 8);
    await expect(target.commands.replicate(id, [at(source, 1)], 7)).rejects.toMatchObject(STALE);

    expect(await source.client.list(undefined, 10)).toEqual([{ id, length: 100_000 }]);
    expect(await source.commands.listTrash(undefined, 10)).toMatchObject([{ id: trashed.id }]);
    expect(await target.client.stat(id)).toBeUndefined();
  });
});

describe("a command that cannot be understood", () => {
  const ID = chunkIdOf(randomBytes(10));
  async function post(path: string, body: string, headers: Record<string, string> = { "holdfast-epoch": "1" }) {
    const signed = { ...headers, ...signRequest(CLUSTER_KEY, { method: "POST", path }) };
    const answer = await fetch(`http://127.0.0.1:${source.port}${path}`, { method: "POST", headers: signed, body });
    return [answer.status, ((await answer.json()) as { error: string }).error];
  }
  const someIds = (count: number) => JSON.stringify({ ids: Array.from({ length: count }, () => ID) });
  const from = (change: object) => JSON.stringify({ sources: [{ id: 1, host: "127.0.0.1", port: 7101, ...change }] });

  test.each([
    ["ids that are none", "/trash", '{"ids":["../../etc/passwd"]}'],
    ["too many ids", "/trash", someIds(limits.trashChunksMax + 1)],
    ["too many ids to read back", "/trash/restore", someIds(limits.restoreChunksMax + 1)],
    ["a field too many", "/trash", `{"ids":[],"all":true}`],
    ["a negative age", "/trash/purge", '{"olderThanMs":-1}'],
    ["no age", "/trash/purge", "{}"],
    ["an order that is none", "/scrub", '{"action":"hurry"}'],
    ["a scrub that never moves", "/scrub", '{"action":"start","bytesPerSecond":0}'],
    ["no source", `/chunks/${ID}/replicate`, '{"sources":[]}'],
    ["a source that is an address of something else", `/chunks/${ID}/replicate`, from({ host: "127.0.0.1/x?" })],
    ["a source on no port", `/chunks/${ID}/replicate`, from({ port: 0 })],
  ])("%s: 400", async (_what, path, body) => {
    expect(await post(path, body)).toEqual([400, "command.invalid"]);
  });

  test.each([
    ["nothing", {}],
    ["no number", { "holdfast-epoch": "latest" }],
    ["a negative number", { "holdfast-epoch": "-1" }],
  ])("%s for an epoch: 400", async (_what, headers: Record<string, string>) => {
    for (const [path, body] of [
      ["/trash", someIds(1)],
      ["/trash/restore", someIds(1)],
      ["/trash/purge", '{"olderThanMs":0}'],
      [`/chunks/${ID}/replicate`, from({})],
    ] as const) {
      expect(await post(path, body, headers)).toEqual([400, "command.invalid"]);
    }
  });

  test("no JSON, or a body without end: 400", async () => {
    expect(await post("/trash", "{")).toEqual([400, "request.invalid"]);
    expect(await post("/trash", `{"ids":["${"a".repeat(100_000)}"]}`)).toEqual([400, "request.invalid"]);
  });
});

test("what a node is asked to do before it belongs to a cluster is refused", async () => {
  const alone = await startTestNode({ directory: `${source.directory}-new` });
  await expect(alone.commands.trash([chunkIdOf(randomBytes(1))], 1)).rejects.toThrow(/has not joined/);
  await expect(alone.commands.verify(chunkIdOf(randomBytes(1)))).rejects.toThrow(/has not joined/);
  await alone.drop();
  rmSync(`${source.directory}-new`, { recursive: true });
});
