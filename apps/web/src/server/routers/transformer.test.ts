/** The quick writer against superjson itself: whoever reads cannot tell which of the two wrote. */
import { quickTransformer } from "@holdfast/core/trpc-edge";
import fc from "fast-check";
import superjson from "superjson";
import { expect, test, vi } from "vitest";

const leftTo = { serialize: vi.fn<(value: unknown) => unknown>(superjson.serialize), deserialize: superjson.deserialize };
const quick = quickTransformer(leftTo);
const serialize = (answer: unknown): unknown => quick.serialize(answer);

const entry = (number: number) => ({
  id: `00000000-0000-4000-8000-00000000000${number}`,
  parentId: null,
  name: `report ${number}.pdf`,
  sizeBytes: number,
  modifiedAt: new Date(1_764_000_000_000 + number),
  trashedAt: number % 2 === 0 ? null : new Date(0),
});

test("a page of a folder is written without superjson, letter for letter as superjson would", () => {
  leftTo.serialize.mockClear();
  const page = { items: [0, 1, 2, 3].map(entry), nextCursor: undefined };
  expect(JSON.stringify(serialize(page))).toBe(JSON.stringify(superjson.serialize(page)));
  expect(leftTo.serialize).not.toHaveBeenCalled();
});

test("writing an answer leaves the answer as it was", () => {
  const page = { items: [entry(1)], nextCursor: undefined };
  serialize(page);
  expect(page).toStrictEqual({ items: [entry(1)], nextCursor: undefined });
});

const shared = new Date(0);
const circle: Record<string, unknown> = {};
circle["self"] = circle;
class Account {
  name = "Ada";
}
test.each<[string, unknown]>([
  ["nothing", undefined],
  ["a date by itself", shared],
  ["a date that is none", { at: new Date(Number.NaN) }],
  ["one date in two places", [shared, { at: shared }]],
  ["a circle", circle],
  ["numbers that JSON lacks", [Number.NaN, Infinity, -0]],
  ["a bigint", { sizeBytes: 2n ** 60n }],
  ["a set", { ids: new Set(["a"]) }],
  ["a map deep inside", { pages: [{ byName: new Map([["a", shared]]) }] }],
  ["an error", { cause: new Error("no") }],
  ["an instance", { account: new Account() }],
  ["bytes", { hash: new Uint8Array([1, 2]) }],
])("%s is left to superjson", (_, value) => {
  leftTo.serialize.mockClear();
  expect(JSON.stringify(serialize(value))).toBe(JSON.stringify(superjson.serialize(value as never)));
  expect(leftTo.serialize).toHaveBeenCalledOnce();
});

test.each(["__proto__", "constructor", "prototype"])(
  "a key that would change every object, %s, is refused as superjson refuses it",
  (key) => {
    expect(() => void serialize({ items: [{ [key]: 1 }] })).toThrow("prototype pollution");
  },
);

test("whatever an answer may hold, keys with dots and backslashes too: the same is written", () => {
  const key = fc.oneof(fc.string(), fc.constantFrom("a.b", "a\\b", "\\.", "0", ""));
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      fc.constantFrom(null, undefined, true, "", "x", 0, -0, Number.NaN, 1.5),
      fc.date({ noInvalidDate: false }),
      fc.constant(shared),
      fc.array(tie("any")),
      fc.dictionary(key, tie("any")),
    ),
  })).any;
  fc.assert(
    fc.property(value, (answer) => {
      // Parsed: superjson names what is in an array in an order of its own, which says nothing.
      const written = (write: (answer: unknown) => unknown): unknown => {
        try {
          return JSON.parse(JSON.stringify(write(answer)));
        } catch (error) {
          return String(error);
        }
      };
      expect(written(serialize)).toEqual(written((it) => superjson.serialize(it as never)));
    }),
    { numRuns: 2_000 },
  );
});
