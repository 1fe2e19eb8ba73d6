import { expect, test } from "vitest";
import { nodeSnapshot as node } from "../testing/index.ts";
import { sharedDisksWords } from "./disks.ts";

const on = (...devices: string[]) => devices.map((device, index) => node(index + 1, { device }));

test.each<[string, ReturnType<typeof on>, string]>([
  ["a disk for each node", on("a", "b", "c"), ""],
  ["disks that nobody can tell", on("", "", ""), ""],
  ["more nodes than disks, and disks enough for all copies", on("a", "a", "b", "c"), ""],
  ["one disk", on("a", "a", "a"), "All three nodes are on one disk: the copies survive a node, and not that disk."],
  ["two disks", on("a", "b", "b"), "The nodes are on two disks: of three copies, some share one and die with it."],
  ["a single node", on("a"), ""],
])("%s", (_, nodes, words) => {
  expect(sharedDisksWords(nodes, 3)).toBe(words);
});

test("a removed node's disk does not count", () => {
  expect(sharedDisksWords([...on("a", "a"), node(3, { device: "b", intent: "removed" })], 3)).toContain("one disk");
});
