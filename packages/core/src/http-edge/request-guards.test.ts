import type { IncomingMessage } from "node:http";
import { expect, test } from "vitest";
import { checkOrigin } from "./request-guards.ts";

const check = (method: string, headers: IncomingMessage["headers"]) => () =>
  checkOrigin({ method, headers: { host: "drive.example:3000", ...headers } } as IncomingMessage);

test.each(["POST", "PUT", "PATCH", "DELETE", "MKCOL"])("%s from our own page, or from a program, passes", (method) => {
  expect(check(method, { origin: "http://drive.example:3000", "sec-fetch-site": "same-origin" })).not.toThrow();
  expect(check(method, { origin: "https://DRIVE.example:3000" })).not.toThrow();
  expect(check(method, { "sec-fetch-site": "none" })).not.toThrow();
  expect(check(method, {})).not.toThrow();
});

test.each([
  ["another site", { origin: "https://evil.example", "sec-fetch-site": "cross-site" }],
  ["another site in a browser without Sec-Fetch-Site", { origin: "https://evil.example" }],
  ["another port of the same host", { origin: "http://drive.example:3001", "sec-fetch-site": "same-site" }],
  ["a form without Origin", { "sec-fetch-site": "cross-site" }],
  ["a sandboxed frame", { origin: "null" }],
  ["nonsense", { origin: "drive.example:3000" }],
])("a change from %s is refused", (_what, headers) => {
  expect(check("POST", headers)).toThrow(expect.objectContaining({ code: "request.cross_site" }));
});

test("reading from anywhere is left to the browser's own rules", () => {
  for (const method of ["GET", "HEAD", "OPTIONS"]) expect(check(method, { origin: "https://evil.example" })).not.toThrow();
});
