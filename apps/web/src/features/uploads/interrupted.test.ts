import { expect, test } from "vitest";
import { interruptedUploads, matchFiles } from "./interrupted.ts";
import type { JournalRecord } from "./journal.ts";

const record = (id: string, changes: Partial<JournalRecord> = {}): JournalRecord => ({
  id,
  name: `${id}.bin`,
  folders: "",
  parentId: "root",
  sizeBytes: 100,
  lastModifiedMs: 5,
  mediaType: "",
  conflict: "replace",
  userId: "u",
  pageId: "p",
  ...changes,
});
const onServer = (id: string, offset: number) => ({ id, name: `${id}.bin`, offset, length: 100, parentId: "root" });

test("reloaded half-way: one file shows how far the server has it, one that never started shows nothing sent", () => {
  const jobs = interruptedUploads([record("a", { url: "/api/upload/7" }), record("b")], [], [onServer("7", 60)]);
  expect(jobs.map(({ job, sentBytes }) => [job.id, sentBytes])).toEqual([
    ["a", 60],
    ["b", 0],
  ]);
});

test("an upload that another tab is sending is not offered here", () => {
  expect(interruptedUploads([], [record("a", { url: "/api/upload/7" })], [onServer("7", 60)])).toEqual([]);
});

test("cut off while the server created it: the upload is offered once, not twice", () => {
  const jobs = interruptedUploads([record("a")], [], [{ ...onServer("7", 0), name: "a.bin" }]);
  expect(jobs.map(({ job }) => [job.id, job.url])).toEqual([["a", undefined]]);
});

test("an upload begun on another device is offered, at its own URL", () => {
  expect(interruptedUploads([], [], [onServer("9", 40)])).toMatchObject([{ job: { name: "9.bin", url: "/api/upload/9" }, sentBytes: 40 }]);
});

const file = (name: string, changes: Partial<File> = {}) => ({ file: { name, size: 100, lastModified: 5, ...changes }, folders: "" });

test("choosing another file with the same name does not splice it onto the first half", () => {
  const jobs = [record("a")];
  for (const other of [file("a.bin", { size: 101 }), file("a.bin", { lastModified: 6 }), file("b.bin")]) {
    expect(matchFiles(jobs, [other])).toEqual({ matches: [], unknown: [other] });
  }
});

test("choosing the folder again finds each of two files of one name in its own subfolder", () => {
  const jobs = [record("x", { name: "a.bin", folders: "p/one" }), record("y", { name: "a.bin", folders: "p/two" })];
  const chosen = [
    { ...file("a.bin"), folders: "p/two" },
    { ...file("a.bin"), folders: "p/one" },
  ];
  expect(matchFiles(jobs, chosen).matches.map(({ id }) => id)).toEqual(["y", "x"]);
});

test("choosing single files finds those that came with a folder", () => {
  expect(matchFiles([record("x", { name: "a.bin", folders: "p" })], [file("a.bin")]).matches).toHaveLength(1);
});
