import { expect, test } from "vitest";
import { copiesState } from "./copies.ts";

test.each([
  [3, "ok", "3 of 3 copies"],
  [4, "ok", "3 of 3 copies"],
  [2, "at-risk", "2 of 3 copies"],
  [1, "degraded", "1 of 3 copies"],
  [0, "unreadable", "No copy can be reached"],
] as const)("a file whose scarcest chunk is on %d of 3 nodes is %s", (fewest, state, words) => {
  expect(copiesState({ wanted: 3, fewest })).toEqual({ state, words });
});

test("an empty file and a folder make no claim about copies", () => expect(copiesState({ wanted: 3, fewest: null })).toBeUndefined());
