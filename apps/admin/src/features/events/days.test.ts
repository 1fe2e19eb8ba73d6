import type { EventRecord } from "@holdfast/core/events";
import { expect, test } from "vitest";
import { byDay } from "./days.ts";

const event = (id: number, at: string): EventRecord => ({
  id,
  at: new Date(at),
  severity: "info",
  kind: "node.up",
  message: "",
  nodeId: null,
});

test("events of one day stand together, newest day first, in the order they came", () => {
  const days = byDay([
    event(4, "2026-11-21T12:00:00"),
    event(3, "2026-11-21T00:00:01"),
    event(2, "2026-11-20T23:59:59"),
    event(1, "2025-11-20T12:00:00"),
  ]);
  expect(days.map(({ name, events }) => [name, events.map(({ id }) => id)])).toEqual([
    ["21 November 2026", [4, 3]],
    ["20 November 2026", [2]],
    ["20 November 2025", [1]],
  ]);
});
