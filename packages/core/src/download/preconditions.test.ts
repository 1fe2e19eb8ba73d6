import type { IncomingHttpHeaders } from "node:http";
import { expect, test } from "vitest";
import { judgePreconditions, rangeApplies, type Verdict } from "./preconditions.ts";

const current = { etag: '"v2"', modifiedAt: new Date("2026-11-21T10:00:00.750Z") };
const SAME = "Sat, 21 Nov 2026 10:00:00 GMT";
const EARLIER = "Sat, 21 Nov 2026 09:59:59 GMT";

test.each<[IncomingHttpHeaders, Verdict]>([
  [{}, "send"],
  [{ "if-none-match": '"v2"' }, "not-modified"],
  [{ "if-none-match": 'W/"v2"' }, "not-modified"],
  [{ "if-none-match": '"v1", "v2"' }, "not-modified"],
  [{ "if-none-match": "*" }, "not-modified"],
  [{ "if-none-match": '"v1"' }, "send"],
  [{ "if-none-match": '"v1"', "if-modified-since": SAME }, "send"], // the tag outweighs the date
  [{ "if-modified-since": SAME }, "not-modified"],
  [{ "if-modified-since": EARLIER }, "send"],
  [{ "if-modified-since": "yesterday" }, "send"],
  [{ "if-match": '"v2"' }, "send"],
  [{ "if-match": "*" }, "send"],
  [{ "if-match": '"v1"' }, "changed"],
  [{ "if-match": 'W/"v2"' }, "changed"], // compared strongly
  [{ "if-match": '"v2"', "if-unmodified-since": EARLIER }, "send"],
  [{ "if-unmodified-since": SAME }, "send"],
  [{ "if-unmodified-since": EARLIER }, "changed"],
  [{ "if-unmodified-since": "yesterday" }, "send"],
  [{ "if-match": '"v2"', "if-none-match": '"v2"' }, "not-modified"],
])("%j: %s", (headers, verdict) => expect(judgePreconditions(headers, current)).toBe(verdict));

test.each([
  [undefined, true],
  ['"v2"', true],
  [SAME, true],
  ['"v1"', false],
  ['W/"v2"', false],
  [EARLIER, false],
  ["nonsense", false],
])("If-Range %s: the range counts: %s", (ifRange, applies) => expect(rangeApplies({ "if-range": ifRange }, current)).toBe(applies));
