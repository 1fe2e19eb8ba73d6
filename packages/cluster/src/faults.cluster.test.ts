/** What a running cluster does when parts of it die: real processes, real PostgreSQL, real kills. */
import { globSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { chunkIdOf } from "@holdfast/core/chunking";
import { MiB } from "@holdfast/core/kernel";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { type RandomFile, randomFile, startTestCluster, type TestCluster } from "./testing/index.ts";

interface ClusterReport {
  state: string;
  why: string;
  nodes: { name: string; health: string }[];
  chunks: { total: number; byCopies: Record<string, number> };
}

/** Files, so that a copy can be found on a disk from outside and damaged there. */
const SETTINGS = { HOLDFAST_HEARTBEAT_MS: "300", HOLDFAST_DOWN_AFTER_MS: "1500", HOLDFAST_NODE_STORE: "file" };
const eventually = { timeout: 30_000, interval: 100 };

let cluster: TestCluster;
beforeAll(async () => (cluster = await startTestCluster({ environment: SETTINGS })));
afterEach(async () => {
  await Promise.all(cluster.nodes.filter((node) => node.pid === undefined).map((node) => node.start())); // whatever a test left unplugged
});
afterAll(() => cluster.remove());

const report = (): Promise<ClusterReport> => cluster.operator.get<ClusterReport>("/api/cluster");
const healthOf = async (name: string): Promise<string | undefined> => (await report()).nodes.find((node) => node.name === name)?.health;
const allUp = (): Promise<void> =>
  vi.waitFor(async () => expect((await report()).nodes.map(({ health }) => health)).toEqual(["up", "up", "up"]), eventually);

/**
 * Gateways are slow to trust a node again; what must outlive two nodes is uploaded once they do. The third copy is written
 * after the answer, so only the file's own details tell that it is there.
 */
async function uploadInThreeCopies(name: string): Promise<{ file: RandomFile; entryId: string }> {
  let attempt = 0;
  return vi.waitFor(async () => {
    const file = randomFile(`${name} ${(attempt += 1)}`, 9 * MiB);
    const path = await cluster.owner.createUpload({ filename: `${name}.bin`, length: file.length });
    const { headers } = await cluster.owner.patch(path, 0, file.bytes(), file.length);
    const entryId = headers["holdfast-entry-id"] as string;
    await vi.waitFor(async () => expect(await cluster.owner.fewestCopies(entryId)).toBe(3), { timeout: 2_000, interval: 50 });
    return { file, entryId };
  }, eventually);
}

describe("kill -9 in mid-upload", () => {
  test.for<[victim: string, pid: () => number | undefined]>([
    ["the gateway", () => cluster.drive.pid],
    ["a storage node", () => cluster.nodes[1]!.pid],
    ["the controller", () => cluster.console.pid],
    ["PostgreSQL", () => cluster.postgres!.pid],
  ])("%s dies: the client resumes, and what it downloads is what it sent", async ([victim, pid]) => {
    await allUp();
    const file = randomFile(`kill ${victim}`, 96 * MiB);
    let killed = false;
    const entryId = await cluster.owner.upload({ filename: `kill ${victim}.bin` }, file, {
      onProgress(offset) {
        if (killed || offset < file.length / 2) return;
        killed = true;
        process.kill(pid()!, "SIGKILL");
      },
    });
    expect(killed).toBe(true);
    await vi.waitFor(async () => expect(await cluster.owner.downloadHash(entryId)).toBe(file.sha256()), eventually);
    await allUp();
    expect(cluster.shown.some((line) => line.includes("starting it again"))).toBe(true);
  });
});

describe("machines without power", () => {
  test("one of three: uploads go on with two copies, the console says so, and its return is noticed", async () => {
    await allUp();
    await cluster.nodes[2]!.unplug();
    await vi.waitFor(async () => expect(await healthOf("node-3")).toBe("down"), eventually);

    const file = randomFile("one node away", 12 * MiB);
    const entryId = await cluster.owner.upload({ filename: "two copies.bin" }, file);
    expect(await cluster.owner.downloadHash(entryId)).toBe(file.sha256());
    await vi.waitFor(async () => {
      const { state, chunks } = await report();
      expect(state).toMatch(/^(at-risk|degraded)$/); // chunks that were written while node-2 was dead have one copy left
      expect(chunks.byCopies["2"]).toBeGreaterThanOrEqual(3);
    }, eventually);

    await cluster.nodes[2]!.start();
    await allUp();
  });

  test("two of three: reading goes on, uploads say why not, and go on when one is back", async () => {
    await allUp();
    const { file: kept, entryId } = await uploadInThreeCopies("kept");
    await Promise.all([cluster.nodes[0]!.unplug(), cluster.nodes[1]!.unplug()]);

    expect(await cluster.owner.downloadHash(entryId)).toBe(kept.sha256());

    const file = randomFile("waiting", 5 * MiB);
    const path = await cluster.owner.createUpload({ filename: "waiting.bin", length: file.length });
    const refused = await cluster.owner.patch(path, 0, file.bytes(), file.length);
    expect(refused.status).toBe(503);
    expect(refused.headers["retry-after"]).toBeDefined();
    expect(JSON.parse(refused.body.toString())).toMatchObject({
      error: "cluster.too_few_nodes",
      message: expect.stringMatching(/node/) as string,
    });
    expect((await cluster.owner.head(path)).headers["upload-offset"]).toBe("0");

    await Promise.all([cluster.nodes[0]!.start(), cluster.nodes[1]!.start()]);
    await allUp();
    await vi.waitFor(async () => {
      const { headers } = await cluster.owner.patch(path, 0, file.bytes(), file.length);
      expect(await cluster.owner.downloadHash(headers["holdfast-entry-id"] as string)).toBe(file.sha256());
    }, eventually);
  });
});

test("bits flip on two of three disks: the flipped copies are never served, the sound one is", async () => {
  await allUp();
  const { file, entryId } = await uploadInThreeCopies("flipped");
  const chunk = `${chunkIdOf(file.bytes(0, 4 * MiB))}.chunk`;
  const copies = await vi.waitFor(() => {
    const found = globSync(`nodes/*/chunks/*/${chunk}`, { cwd: cluster.dataDirectory });
    expect(found).toHaveLength(3);
    return found;
  }, eventually);

  for (const path of copies.slice(0, 2)) await flipBit(path);
  for (let reading = 0; reading < 6; reading += 1) expect(await cluster.owner.downloadHash(entryId)).toBe(file.sha256());
});

async function flipBit(path: string): Promise<void> {
  const file = await open(join(cluster.dataDirectory, path), "r+");
  const position = 1 * MiB;
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, position);
  await file.write(Buffer.from([buffer[0]! ^ 1]), 0, 1, position);
  await file.close();
}
