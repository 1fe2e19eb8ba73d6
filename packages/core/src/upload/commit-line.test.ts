import { expect, test, vi } from "vitest";
import { CommitLine } from "./commit-line.ts";
import type { StoredChunk } from "./store-chunk.ts";

const chunk = (length: number) => ({ length }) as StoredChunk;

function newLine(intervalMs: number) {
  const commits: number[][] = [];
  const commit = async (chunks: readonly StoredChunk[]): Promise<void> => void commits.push(chunks.map(({ length }) => length));
  return { commits, line: new CommitLine({ held: false, intervalMs, commit, onFailure: () => undefined }) };
}

test("a fast client: the first chunk is committed at once, what follows within the interval together", async () => {
  const { commits, line } = newLine(50);
  for (const length of [1, 2, 3, 4]) {
    line.add(Promise.resolve(chunk(length)));
    await vi.waitFor(() => expect(commits).not.toEqual([]));
  }
  await vi.waitFor(() => expect(commits).toEqual([[1], [2, 3, 4]]));
});

test("the body ends: its last chunks do not wait for the interval", async () => {
  const { commits, line } = newLine(60_000);
  line.add(Promise.resolve(chunk(1)));
  await vi.waitFor(() => expect(commits).toEqual([[1]]));
  const second = Promise.withResolvers<StoredChunk>();
  line.add(second.promise);
  line.add(Promise.resolve(chunk(3)));
  const committed = line.committed();
  second.resolve(chunk(2));
  await committed;
  expect(commits).toEqual([[1], [2, 3]]);
});
