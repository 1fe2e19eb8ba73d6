import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DurableFileSystem } from "@holdfast/core/chunk-store";
import { afterEach, beforeEach, expect, test } from "vitest";
import { EpochMemory } from "./epoch-memory.ts";
import { open, rename } from "node:fs/promises";

const STALE = { code: "store.stale_epoch" };

let directory: string;
beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), "holdfast-epoch-"))));
afterEach(() => rmSync(directory, { recursive: true }));

test("a leader who was replaced is refused from the first word of his successor on", async () => {
  const epochs = new EpochMemory(directory);
  await epochs.hear(4);
  await epochs.hear(4);
  await epochs.hear(7);
  await expect(epochs.hear(6)).rejects.toMatchObject({ ...STALE, details: { epoch: 6, highest: 7 } });
  await expect(epochs.under(6, () => expect.unreachable())).rejects.toMatchObject(STALE);
});

test("a restart remembers", async () => {
  await new EpochMemory(directory).hear(7);
  await expect(new EpochMemory(directory).hear(6)).rejects.toMatchObject(STALE);
});

test("no command of an epoch begins before the epoch is durable, and none of an older one while it is on its way there", async () => {
  const disk = Promise.withResolvers<void>();
  const epochs = new EpochMemory(directory, diskThat({ rename: () => disk.promise }));
  const done: string[] = [];
  const first = epochs.under(5, async () => void done.push("first"));
  const second = epochs.under(5, async () => void done.push("second"));
  await expect(epochs.under(4, () => expect.unreachable())).rejects.toMatchObject(STALE);
  expect(done).toEqual([]);
  disk.resolve();
  await Promise.all([first, second]);
  expect(done).toEqual(["first", "second"]);
});

test("a new leader's command waits until what the old one had begun is over", async () => {
  const epochs = new EpochMemory(directory);
  const done: string[] = [];
  const slow = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const old = epochs.under(1, async () => {
    begun.resolve();
    await slow.promise;
    done.push("old");
  });
  await begun.promise;
  const next = epochs.under(2, async () => void done.push("new"));
  await expect(epochs.under(1, () => expect.unreachable())).rejects.toMatchObject(STALE);
  slow.resolve();
  await Promise.all([old, next]);
  expect(done).toEqual(["old", "new"]);
});

test("two leaders change hands while the disk is slow: the elder one's command is not done", async () => {
  const disk = Promise.withResolvers<void>();
  const epochs = new EpochMemory(directory, diskThat({ rename: () => disk.promise }));
  const elder = epochs.under(5, () => expect.unreachable());
  const younger = epochs.under(6, async () => "done");
  disk.resolve();
  await expect(elder).rejects.toMatchObject(STALE);
  expect(await younger).toBe("done");
  await expect(new EpochMemory(directory).hear(5)).rejects.toMatchObject(STALE);
});

test("an epoch that the disk would not take was not heard: its command fails, and the one before still leads", async () => {
  let broken = false;
  const rename = async () => {
    if (broken) throw new Error("EIO");
  };
  const epochs = new EpochMemory(directory, diskThat({ rename }));
  await epochs.hear(5);
  broken = true;
  await expect(epochs.under(6, () => expect.unreachable())).rejects.toThrow("EIO");
  expect(await epochs.under(5, async () => "done")).toBe("done");
  broken = false;
  await epochs.hear(6);
  await expect(epochs.hear(5)).rejects.toMatchObject(STALE);
});

test("a file that cannot be read is no permission for everybody", () => {
  writeFileSync(join(directory, "holdfast-epoch.json"), "");
  expect(() => new EpochMemory(directory)).toThrow(/cannot tell an old leader/);
});

/** The real disk, which does `before` ahead of each rename. */
function diskThat(before: { rename: () => Promise<void> }): DurableFileSystem {
  return {
    open,
    async rename(from, to) {
      await before.rename();
      await rename(from, to);
    },
  };
}
