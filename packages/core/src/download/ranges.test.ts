import fc from "fast-check";
import { expect, test } from "vitest";
import { type ByteRange, contentRange, parseRanges } from "./ranges.ts";

const SIZE = 1_000;
const parse = (header: string | undefined, size = SIZE) => parseRanges(header, size, 4);
const partial = (...ranges: [offset: number, length: number][]) => ({
  kind: "partial",
  ranges: ranges.map(([offset, length]) => ({ offset, length })),
});

test.each<[string, ReturnType<typeof partial>]>([
  ["bytes=0-499", partial([0, 500])],
  ["bytes=500-", partial([500, 500])],
  ["bytes=-100", partial([900, 100])],
  ["bytes=-5000", partial([0, 1_000])],
  ["bytes=0-99999999999999999999", partial([0, 1_000])],
  ["bytes=999-999", partial([999, 1])],
  ["Bytes = 0-0", partial([0, 1])],
  ["bytes=0-0, ,-1", partial([0, 1], [999, 1])],
  ["bytes=0-9,5000-6000", partial([0, 10])], // what lies outside is left out while something lies inside
])("%s is understood", (header, expected) => expect(parse(header)).toEqual(expected));

test.each(["bytes=1000-", "bytes=1000-2000", "bytes=5000-,6000-", "bytes=-0", "bytes=99999999999999999999-"])("%s lies outside", (header) =>
  expect(parse(header)).toEqual({ kind: "unsatisfiable" }),
);

test.each([
  ["absent", undefined],
  ["reversed", "bytes=500-100"],
  ["one of many reversed", "bytes=0-1,500-100"],
  ["another unit", "lines=0-10"],
  ["no unit", "0-10"],
  ["no ranges", "bytes="],
  ["only commas", "bytes=,,"],
  ["a lone dash", "bytes=-"],
  ["a minus sign", "bytes=--5"],
  ["letters", "bytes=a-b"],
  ["hexadecimal", "bytes=0x0-0x10"],
  ["a fraction", "bytes=0.5-10"],
  ["an exponent", "bytes=1e2-"],
  ["a second equals sign", "bytes=0-1=2"],
  ["more than the limit", "bytes=0-0,2-2,4-4,6-6,8-8"],
  ["overlapping beyond the file's own length", "bytes=0-,0-"],
])("%s: the whole file", (_what, header) => expect(parse(header)).toEqual({ kind: "whole" }));

test("an empty file satisfies no range", () => {
  for (const header of ["bytes=0-", "bytes=0-0", "bytes=-1"]) expect(parse(header, 0)).toEqual({ kind: "unsatisfiable" });
});

test("whatever is asked, a range is not empty, lies inside the file, and is the one that slicing gives", () => {
  fc.assert(
    fc.property(fc.nat(2_000), fc.nat(2_000), fc.nat(1_500), (first, last, size) => {
      const expected = Array.from({ length: size }, (_, index) => index).slice(first, last + 1);
      const inside = expected.length === 0 ? { kind: "unsatisfiable" } : partial([expected[0]!, expected.length]);
      expect(parseRanges(`bytes=${first}-${last}`, size, 4)).toEqual(last < first ? { kind: "whole" } : inside);
    }),
  );
});

test("no header makes it throw", () => {
  fc.assert(
    fc.property(fc.string(), fc.nat(), (text, size) => {
      expect(() => parseRanges(`bytes=${text}`, size, 32)).not.toThrow();
    }),
  );
});

test("Content-Range counts its last byte in", () => {
  expect(contentRange({ offset: 0, length: 500 } satisfies ByteRange, 1_234)).toBe("bytes 0-499/1234");
});
