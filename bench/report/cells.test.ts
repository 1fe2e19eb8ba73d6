import { expect, test } from "vitest";
import { tableOf } from "./cells.ts";

const section = { number: 1, title: "uploads", subject: "Drive" };

test("a claim that holds has a tick, one that does not says how far it is off, and columns without a word are left out", () => {
  const rows = [
    {
      name: "fast",
      unit: "MB/s",
      values: [250, 310.4, 300],
      limit: { name: "disk", value: 600 },
      targets: [{ of: "value" as const, atLeast: 300 }],
    },
    { name: "slow", unit: "MB/s", values: [120], targets: [{ of: "value" as const, atLeast: 300 }] },
    { name: "large", unit: "MB", values: [90, 360], targets: [{ of: "value" as const, atMost: 120 }] },
    { name: "faults", unit: "", values: [2], targets: [{ of: "value" as const, atMost: 0 }] },
  ];
  expect(tableOf([{ ...section, rows }])).toEqual([
    ["", "on", "median", "range", "limit", "of it", "target"],
    ["fast", "Drive", "300 MB/s", "250–310", "600 (disk)", "50 %", "≥ 300 MB/s ✓"],
    ["slow", "Drive", "120 MB/s", "", "", "", "≥ 300 MB/s: 2.5 × off"],
    ["large", "Drive", "225 MB", "90–360", "", "", "≤ 120 MB: 1.88 × off"],
    ["faults", "Drive", "2", "", "", "", "≤ 0: 2"],
  ]);
});

test("what was never measured meets no claim", () => {
  const latency = { count: 0, p50Ms: Number.NaN, p99Ms: Number.NaN };
  const rows = [{ name: "nothing", unit: "/s", values: [Number.NaN], latency, targets: [{ of: "p99" as const, atMost: 15 }] }];
  expect(tableOf([{ ...section, rows }])[1]!.at(-1)).toBe("p99 ≤ 15 ms: –");
});
