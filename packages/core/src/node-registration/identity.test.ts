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

test("chunks without a marker are not an empty disk: the node does not start", async () => {
  mkdirSync(join(directory, "chunks/ab"), { recursive: true });
  await openIdentity(directory, "file"); // directories alone are what an interrupted first start leaves
  rmSync(marker);
  writeFileSync(join(directory, `chunks/ab/${"ab".repeat(32)}.chunk`), "bytes");
  await expect(openIdentity(directory, "file")).rejects.toThrow(/holds chunks but no holdfast-node.json/);
  expect(readdirSync(directory)).toEqual(["chunks"]);
});

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

test("a disk of another kind of store is refused with the setting that fits", async () => {
  await openIdentity(directory, "segment");
  await expect(openIdentity(directory, "file")).rejects.toThrow("Set HOLDFAST_NODE_STORE=segment");
});
