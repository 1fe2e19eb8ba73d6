import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { FleetingMap } from "./fleeting-map.ts";
import { KiB, MiB } from "./units.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as (options?: { type: "minor" }) => void;

const AT_ONCE = 32;
const ENTRIES = 10_000;
const ENTRY_BYTES = 1 * KiB;

function oldBytes(): number {
  return getHeapSpaceStatistics().find(({ space_name }) => space_name === "old_space")!.space_used_size;
}

test("ten thousand entries come and go: what they held is gone with them, long before everything is collected", () => {
  const map = new FleetingMap<unknown>();
  const pass = (entries: number): void => {
    for (let key = 0; key < entries + AT_ONCE; key++) {
      if (key < entries)
        map.add(
          key,
          Array.from({ length: ENTRY_BYTES / 8 }, () => key),
        );
      map.delete(key - AT_ONCE);
      if (key % 1_000 === 0) collect({ type: "minor" });
    }
  };
  pass(1_000);
  collect(); // the map is old by now
  const before = oldBytes();
  pass(ENTRIES);
  collect({ type: "minor" });
  expect(oldBytes() - before).toBeLessThan(1 * MiB);
});

test("entries are had by their keys in the order of their coming, until they go", () => {
  const map = new FleetingMap<string>();
  for (const [key, value] of ["a", "b", "c"].entries()) map.add(key, value);
  map.delete(1);
  map.delete(1);
  map.add(3, "d");
  expect([...map.values()]).toEqual(["a", "c", "d"]);
  expect([map.get(1), map.get(3), map.size]).toEqual([undefined, "d", 3]);
  map.clear();
  expect(map.size).toBe(0);
});
