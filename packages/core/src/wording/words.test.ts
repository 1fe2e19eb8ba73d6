import { expect, test } from "vitest";
import { bytesInWords, listed, ordinal, secondsInWords } from "./index.ts";

test("sizes, times and places read as a person would say them", () => {
  expect([0, 512, 1_000, 6_442_450_944, 1.5e6].map(bytesInWords)).toEqual(["0 bytes", "512 bytes", "1.0 kB", "6.4 GB", "1.5 MB"]);
  expect([0.42, 21, 119, 240, 12_600].map(secondsInWords)).toEqual(["0.4 s", "21 s", "119 s", "4 min", "3.5 h"]);
  expect([1, 3, 4, 11, 21, 22, 23].map(ordinal)).toEqual(["first", "third", "fourth", "11th", "21st", "22nd", "23rd"]);
});

test("many names are counted instead of listed", () => {
  expect(["a", "b", "c", "d"].map((_, index, names) => listed(names.slice(0, index + 1)))).toEqual([
    "a",
    "a and b",
    "a, b and c",
    "a, b and two others",
  ]);
});
