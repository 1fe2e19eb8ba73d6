import { randomUUID } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openIdentity } from "./index.ts";

const CLUSTER = randomUUID();
let directory: string;
let marker: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "holdfast-identity-"));
  marker = join(directory, "holdfast-node.json");
});
afterEach(() => rmSync(directory, { recursive: true }));

test("a new disk gets an identity, and keeps it", async () => {
  const { identity } = (await openIdentity(directory, "file")).current;
  expect((await openIdentity(directory, "file")).current).toMatchObject({ format: 1, identity, store: "file" });
});

test("what the first registration says stays on the disk", async () => {
  const first = await openIdentity(directory, "file");
  await first.complete({ clusterId: CLUSTER, nodeId: 7 });
  expect(first.current).toMatchObject({ clusterId: CLUSTER, nodeId: 7 });
  expect((await openIdentity(directory, "file")).current).toEqual(first.current);
  expect(readdirSync(directory)).toEqual(["holdfast-node.json"]);
});

test("a disk never changes its cluster", async () => {
  const first = await openIdentity(directory, "file");
  await first.complete({ clusterId: CLUSTER, nodeId: 7 });
  await expect(first.complete({ clusterId: randomUUID(), nodeId: 7 })).rejects.toMatchObject({ code: "node.foreign" });
  expect((await openIdentity(directory, "file")).current.clusterId).toBe(CLUSTER);
});

test.each(["chunks/ab", "trash/ab", "segments"])(
  "chunks in %s without a marker are not an empty disk: the node does not start",
  async (folder) => {
    mkdirSync(join(directory, folder), { recursive: true });
    await openIdentity(directory, undefined); // directories alone are what an interrupted first start leaves
    rmSync(marker);
    writeFileSync(join(directory, folder, "some-chunks"), "bytes");
    await expect(openIdentity(directory, undefined)).rejects.toThrow(/holds chunks but no holdfast-node.json/);
    expect(readdirSync(directory)).toEqual([folder.split("/")[0]]);
  },
);

test.each([
  ["cut off", (text: string) => text.slice(0, 20)],
  ["empty", () => ""],
  ["of a later format", (text: string) => text.replace('"format": 1', '"format": 2')],
  ["with an identity that is none", (text: string) => text.replace(/"identity": "[^"]+"/, '"identity": "node-1"')],
])("a marker %s is refused and left as it is", async (_how, spoil) => {
  await openIdentity(directory, "file");
  const spoiled = spoil(readFileSync(marker, "utf8"));
  writeFileSync(marker, spoiled);
  await expect(openIdentity(directory, "file")).rejects.toThrow(/holdfast-node.json cannot be read/);
  expect(readFileSync(marker, "utf8")).toBe(spoiled);
});

test("a new disk keeps its chunks as it is told, and goes on so when nobody says anything any more", async () => {
  await openIdentity(directory, "segment");
  expect((await openIdentity(directory, undefined)).current.store).toBe("segment");
});

test("files become segments when somebody wants it, and only once it is durable", async () => {
  await openIdentity(directory, "file");
  const opened = await openIdentity(directory, "segment");
  expect(opened.current.store).toBe("file");
  await opened.keepAs("segment");
  expect((await openIdentity(directory, undefined)).current.store).toBe("segment");
});

test("there is no way back from segments to files: refused with the setting that fits", async () => {
  await openIdentity(directory, "segment");
  await expect(openIdentity(directory, "file")).rejects.toThrow(/keeps its chunks in segments, .* Set HOLDFAST_NODE_STORE=segment\.$/);
});

test("a store that this version does not know is not guessed at", async () => {
  await openIdentity(directory, "file");
  writeFileSync(marker, readFileSync(marker, "utf8").replace('"store": "file"', '"store": "tape"'));
  await expect(openIdentity(directory, undefined)).rejects.toThrow(/holdfast-node.json cannot be read/);
});
