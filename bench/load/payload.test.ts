import { expect, test } from "vitest";
import { payload } from "./payload.ts";

const pages = (length: number): string[] => payload(length).flatMap(pagesOf).toArray();

function* pagesOf(part: Buffer): Generator<string> {
  for (let at = 0; at < part.length; at += 4096) yield part.toString("latin1", at, at + 4096);
}

test("every file has the length asked for, and no 4 KiB of any two are alike", () => {
  const lengths = [1, 7, 4096, 65_536, 3 * 1024 * 1024 + 5];
  for (const length of lengths) expect(payload(length).reduce((sum, part) => sum + part.length, 0)).toBe(length);
  const all = [...pages(3 * 1024 * 1024 + 4096), ...pages(65_536), ...pages(4096), ...pages(4096)];
  expect(new Set(all).size).toBe(all.length);
});
