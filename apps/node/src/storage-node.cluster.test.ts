import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { globSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ChunkStore, chunkStoreKinds } from "@holdfast/core/chunk-store";
import { type ChunkId, chunkIdOf } from "@holdfast/core/chunking";
import { KiB, MiB } from "@holdfast/core/kernel";
import { createNodeClients, type NodeClients } from "@holdfast/core/node-client";
import { afterEach, beforeEach, expect, test } from "vitest";
import { CLUSTER_KEY, joinedDirectory, nodeAddress, type NodeProcess, spawnNode } from "./testing/index.ts";

let data: string;
let directory: string;
let clients: NodeClients;
let processes: NodeProcess[];

beforeEach(async () => {
  data = mkdtempSync(join(tmpdir(), "holdfast-node-"));
  directory = await joinedDirectory(data, { store: "file" });
  clients = createNodeClients({ clusterKey: CLUSTER_KEY });
  processes = [];
});
afterEach(async () => {
  await clients.close();
  await Promise.all(processes.map((node) => node.kill("SIGKILL")));
  rmSync(data, { recursive: true });
});

async function start(environment: NodeJS.ProcessEnv = {}, home = data): Promise<NodeProcess & { store: ChunkStore }> {
  const node = await spawnNode(home, environment);
  processes.push(node);
  return { ...node, store: clients.clientFor(nodeAddress(node.port)) };
}

/** Writes from `writers` hands until a write fails; returns what was acknowledged. */
async function putUntilRefused(
  store: ChunkStore,
  length: number,
  writers: number,
  onAcknowledged = (_count: number) => undefined as unknown,
) {
  const acknowledged: ChunkId[] = [];
  const refusals: unknown[] = [];
  const write = async (): Promise<void> => {
    for (;;) {
      const bytes = randomBytes(length);
      const id = chunkIdOf(bytes);
      await store.put(id, bytes);
      acknowledged.push(id);
      onAcknowledged(acknowledged.length);
    }
  };
  await Promise.all(Array.from({ length: writers }, () => write().catch((error: unknown) => refusals.push(error))));
  return { acknowledged, refusals };
}

/** Reads every chunk that the node says it holds; a damaged one would fail. Returns their ids. */
async function readEverything(store: ChunkStore): Promise<Set<ChunkId>> {
  const held = await store.list(undefined, 1_000);
  for (const { id, length } of held) expect(await store.get(id)).toHaveLength(length);
  expect(await store.stats()).toMatchObject({ chunkCount: held.length, corruptChunks: 0 });
  return new Set(held.map(({ id }) => id));
}

test.each(chunkStoreKinds)(
  "%s: kill -9 in the middle of sixteen writes, three times: all that was acknowledged is there, nothing is half there",
  async (kind) => {
    const acknowledged: ChunkId[] = [];
    for (const killAfter of [5, 12, 25]) {
      const node = await start({ HOLDFAST_NODE_STORE: kind });
      const result = await putUntilRefused(node.store, 512 * KiB + killAfter, 16, (count) => count === killAfter && node.kill("SIGKILL"));
      acknowledged.push(...result.acknowledged);
      await node.exited;

      const again = await start();
      expect(globSync("incoming/*", { cwd: directory })).toEqual([]);
      const held = await readEverything(again.store);
      expect(acknowledged.filter((id) => !held.has(id))).toEqual([]);
      await again.kill("SIGTERM");
    }
  },
);

test("kill -9 right after a new leader was heard, five times: the old leader is never obeyed again", async () => {
  const unknown = [chunkIdOf(Buffer.from("never put"))];
  for (let epoch = 10; epoch < 15; epoch++) {
    const node = await start();
    const commands = clients.commandsFor(nodeAddress(node.port));
    await commands.trash(unknown, epoch).then(() => node.kill("SIGKILL"));
    const again = clients.commandsFor(nodeAddress((await start()).port));
    await expect(again.trash(unknown, epoch - 1)).rejects.toMatchObject({ code: "store.stale_epoch" });
    expect(await again.trash(unknown, epoch)).toEqual([]);
    await processes.at(-1)!.kill("SIGKILL");
  }
});

test.each(chunkStoreKinds)(
  "%s: SIGTERM in the middle of writes: those under way are finished, then the process leaves with 0",
  async (kind) => {
    const node = await start({ HOLDFAST_NODE_STORE: kind });
    const { acknowledged } = await putUntilRefused(node.store, 512 * KiB, 8, (count) => count === 10 && node.kill("SIGTERM"));
    expect(await node.exited).toBe(0);
    const held = await readEverything((await start()).store);
    expect(acknowledged.filter((id) => !held.has(id))).toEqual([]);
  },
);

const isRoot = process.getuid?.() === 0;
if (!isRoot) console.info("skipped: a full disk (needs root to mount one)"); // eslint-disable-line no-console

test.skipIf(!isRoot).each([
  ["has no bytes left", "size=24m"],
  ["has no inodes left, which nothing announces", "size=400m,nr_inodes=560"],
])(
  "a disk that %s: 507, nothing left behind, all that was acknowledged is there, and writes go on after a deletion",
  async (_how, options) => {
    const disk = join(data, "disk");
    mkdirSync(disk);
    execFileSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", disk]);
    try {
      const nodeDirectory = await joinedDirectory(disk, { store: "file" });
      const node = await start({}, disk);
      const { acknowledged, refusals } = await putUntilRefused(node.store, 2 * MiB, 4);
      expect(refusals).toHaveLength(4);
      for (const refusal of refusals) expect(refusal).toMatchObject({ code: "store.full" });
      expect(globSync("incoming/*", { cwd: nodeDirectory })).toEqual([]);
      expect(await readEverything(node.store)).toEqual(new Set(acknowledged));

      await node.store.delete(acknowledged[0]!);
      const bytes = randomBytes(MiB);
      expect(await node.store.put(chunkIdOf(bytes), bytes)).toEqual({ stored: true });
      expect(await node.kill("SIGTERM")).toBe(0);
    } finally {
      await Promise.all(processes.map((node) => node.kill("SIGKILL")));
      execFileSync("umount", [disk]);
    }
  },
);

test("two processes never work in one directory: the second says so in one line", async () => {
  await start();
  const second = await start();
  expect(second.ready).toBe(false);
  expect(await second.exited).toBe(1);
  expect(second.stderr()).toMatch(/^Another process works in .*nodes\/node-1\. Stop it, or name another directory\.\n$/);
});

test("a process killed with -9 leaves no lock behind", async () => {
  const first = await start();
  await first.kill("SIGKILL");
  expect((await start()).ready).toBe(true);
});

test("chunks whose marker is gone are not an empty disk: one line, and not a chunk is touched", async () => {
  const first = await start();
  const bytes = randomBytes(1_000);
  await first.store.put(chunkIdOf(bytes), bytes);
  await first.kill("SIGTERM");
  rmSync(join(directory, "holdfast-node.json"));
  const before = readdirSync(directory, { recursive: true });

  const second = await start();
  expect(await second.exited).toBe(1);
  expect(second.stderr()).toMatch(/^.* holds chunks but no holdfast-node\.json, .*\n$/);
  expect(readdirSync(directory, { recursive: true })).toEqual(before);
});

test("settings that cannot be used are all named at once", async () => {
  const node = await start({ HOLDFAST_CLUSTER_KEY: "short", HOLDFAST_NODE_PORT: "99999", HOLDFAST_NODE_NAME: "../elsewhere" });
  expect(await node.exited).toBe(1);
  for (const name of ["HOLDFAST_CLUSTER_KEY", "HOLDFAST_NODE_PORT", "HOLDFAST_NODE_NAME"]) expect(node.stderr()).toContain(name);
  expect(readdirSync(join(data, "nodes"))).toEqual(["node-1"]);
});
