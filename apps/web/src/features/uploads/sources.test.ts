import { expect, test } from "vitest";
import { readDropped } from "./sources.ts";

/** A folder is a list of what is in it; a file is its text. */
interface Tree {
  [name: string]: Tree | string;
}

const handleOf = (name: string, content: Tree | string): unknown =>
  typeof content === "string"
    ? { kind: "file", name, getFile: async () => new File([content], name) }
    : { kind: "directory", name, values: () => Object.entries(content).map(([child, inside]) => handleOf(child, inside)) };

const entryOf = (name: string, content: Tree | string): unknown =>
  typeof content === "string"
    ? { isFile: true, name, file: (resolve: (file: File) => void) => resolve(new File([content], name)) }
    : { isFile: false, name, createReader: () => readerOf(Object.entries(content).map(([child, inside]) => entryOf(child, inside))) };

/** One at a time, then an empty portion. */
const readerOf = (entries: unknown[]) => ({ readEntries: (resolve: (portion: unknown[]) => void) => resolve(entries.splice(0, 1)) });

const TREE: Tree = { photos: { "a.jpg": "a", raw: { "b.raw": "b" }, "2025": {}, "2026": { may: {} } }, nothing: {}, "c.txt": "c" };

test.each([
  ["a browser with handles", (name: string, content: Tree | string) => ({ getAsFileSystemHandle: async () => handleOf(name, content) })],
  ["a browser without", () => ({})],
])("a dropped tree in %s: every file with its folders, and the folders that no file brings along", async (_which, handle) => {
  const items = Object.entries(TREE).map(([name, content]) => ({
    kind: "file",
    webkitGetAsEntry: () => entryOf(name, content),
    getAsFile: () => null,
    ...handle(name, content),
  }));
  const { sources, emptyFolders } = await readDropped(items as unknown as DataTransferItemList);
  expect(sources.map(({ file, folders }) => `${folders}/${file.name}`)).toEqual(["photos/a.jpg", "photos/raw/b.raw", "/c.txt"]);
  expect(new Set(emptyFolders)).toEqual(new Set(["photos/2025", "photos/2026/may", "nothing"]));
});
