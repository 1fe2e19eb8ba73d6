import { describe, expect, test } from "vitest";
import { formatBytes, formatCount, formatDuration, formatRate, formatRelativeTime } from "./format.ts";

describe("sizes", () => {
  test.each([
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1 kB"],
    [1400, "1.4 kB"],
    [99_950, "100 kB"],
    [999_600, "1 MB"],
    [1_400_000_000, "1.4 GB"],
    [2 * 1024 ** 3, "2.1 GB"],
    [5e18, "5000 PB"],
  ])("%d bytes read %s", (bytes, text) => expect(formatBytes(bytes)).toBe(text));

  test("a size nobody knows is a dash and not NaN", () => expect(formatBytes(Number.NaN)).toBe("–"));
  test("a rate is a size per second", () => expect(formatRate(12_300_000)).toBe("12.3 MB/s"));
});

describe("durations", () => {
  test.each([
    [0, "0 s"],
    [45_000, "45 s"],
    [200_000, "3 min 20 s"],
    [3_600_000, "1 h"],
    [7_505_000, "2 h 5 min"],
    [356_400_000, "4 d 3 h"],
  ])("%d ms reads %s", (ms, text) => expect(formatDuration(ms)).toBe(text));
});

describe("times", () => {
  const now = new Date("2026-11-21T12:00:00Z");
  test.each([
    ["2026-11-21T12:00:30Z", "just now"],
    ["2026-11-21T11:59:10Z", "just now"],
    ["2026-11-21T11:55:00Z", "5 minutes ago"],
    ["2026-11-21T09:59:00Z", "2 hours ago"],
    ["2026-11-20T11:00:00Z", "yesterday"],
    ["2026-03-12T12:00:00Z", "12 Mar"],
    ["2025-03-12T12:00:00Z", "12 Mar 2025"],
  ])("%s reads %s", (at, text) => expect(formatRelativeTime(new Date(at), now)).toBe(text));
});

test("counts agree with their noun", () => {
  expect(formatCount(1, "file")).toBe("1 file");
  expect(formatCount(12_000, "copy", "copies")).toBe("12,000 copies");
});
