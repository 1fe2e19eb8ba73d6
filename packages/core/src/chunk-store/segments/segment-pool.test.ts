import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { KiB, MiB } from "../../kernel/index.ts";
import { DATA_AT } from "./layout.ts";
import { type SegmentFileSystem, segmentFileSystem } from "./placed-file.ts";
import { openStore, putAll, SEGMENT_BYTES, someChunk, watched } from "./testing/index.ts";

const DISK_BLOCK_BYTES = 512;
const SMALL = 60 * KiB;
const LARGE = 1 * MiB;

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "holdfast-pool-"));
});
afterEach(() => rmSync(root, { recursive: true }));

const segments = (): string[] =>
  readdirSync(join(root, "segments"))
    .filter((name) => name.endsWith(".seg"))
    .map((name) => join(root, "segments", name));

/** Fills three segments with chunks of this length. Returns the numbers of those that were filled with zeros before. */
async function filledBefore(
  length: number,
  { fileSystem = segmentFileSystem }: { fileSystem?: SegmentFileSystem } = {},
): Promise<number[]> {
  const filled = new Set<number>();
  const watching = watched(({ kind, path, position }) => {
    const [, number] = /(\d{8})\.new$/.exec(path) ?? [];
    if (kind === "write" && number !== undefined && position > DATA_AT) filled.add(Number(number));
  }, fileSystem);
  const store = await openStore(root, { fileSystem: watching });
  await putAll(
    store,
    Array.from({ length: Math.ceil((3 * SEGMENT_BYTES) / length) }, () => someChunk(length)),
  );
  await store.close();
  return [...filled];
}

test("small chunks find segments full of zeros; for large ones the disk writes nothing twice", async () => {
  expect(await filledBefore(SMALL)).toEqual(segments().map((_path, index) => index + 1));
  rmSync(join(root, "segments"), { recursive: true });
  expect((await filledBefore(LARGE)).filter((number) => number > 1)).toEqual([]); // the first may be made before anybody comes
});

test.each([
  ["small", SMALL],
  ["large", LARGE],
])("space that %s chunks will need is taken before they come: nobody else can use it up", async (_name, length) => {
  await filledBefore(length);
  expect(segments().length).toBeGreaterThan(3);
  for (const path of segments()) expect(statSync(path).blocks * DISK_BLOCK_BYTES).toBeGreaterThanOrEqual(statSync(path).size);
});

test("a disk that sets no space aside is filled with zeros for large chunks as well", async () => {
  const fileSystem: SegmentFileSystem = {
    async open(path, options) {
      const file = await segmentFileSystem.open(path, options);
      return {
        read: (into, position, how) => file.read(into, position, how),
        write: (parts, position) => file.write(parts, position),
        allocate: async () => false,
        sync: () => file.sync(),
        close: () => file.close(),
      };
    },
  };
  expect(await filledBefore(LARGE, { fileSystem })).toEqual(segments().map((_path, index) => index + 1));
});
