import { validateHeaderValue } from "node:http";
import fc from "fast-check";
import { expect, test } from "vitest";
import { contentDisposition, contentHeaders } from "./content-headers.ts";

const describe = (mediaType: string, asDownload = false) => {
  const headers = contentHeaders({ name: "file", mediaType }, asDownload);
  return { type: headers["content-type"], disposition: headers["content-disposition"]!.split(";")[0] };
};

/** What a client that knows RFC 6266 makes of the header. */
function nameIn(header: string): string {
  const extended = /; filename\*=UTF-8''([!#$&+\-.^_`|~0-9A-Za-z%]+)$/.exec(header)?.[1];
  return extended === undefined ? /; filename="([^"\\]*)"$/.exec(header)![1]! : decodeURIComponent(extended);
}

test.each([
  "report.pdf",
  "Übersicht 2026.pdf",
  "資料.docx",
  "תמונה.jpg",
  "🦭🪸.png",
  'say "hi".txt',
  "50% off.txt",
  "a\\b",
  "a;b=c.txt",
  "'()*",
  "…",
])("%s arrives under its own name", (name) => expect(nameIn(contentDisposition("attachment", name))).toBe(name));

test("old clients get a plain name, new ones the exact one", () => {
  expect(contentDisposition("inline", "plain name.txt")).toBe('inline; filename="plain name.txt"');
  expect(contentDisposition("attachment", "naïve 🦭.txt")).toBe(
    "attachment; filename=\"na_ve _.txt\"; filename*=UTF-8''na%C3%AFve%20%F0%9F%A6%AD.txt",
  );
});

test("any name whatsoever round-trips, and never breaks out of its header", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", minLength: 1, maxLength: 255 }), (name) => {
      const header = contentDisposition("attachment", name);
      validateHeaderValue("content-disposition", header);
      expect(header).toMatch(/^attachment; filename="[ -~]*"(; filename\*=UTF-8''[!-~]+)?$/);
      expect(nameIn(header)).toBe(name.toWellFormed());
    }),
    { numRuns: 2_000 },
  );
});

test.each(["image/png", "image/jpeg", "video/mp4", "audio/mpeg"])("%s is shown in place, unless a download was asked for", (type) => {
  expect(describe(type)).toEqual({ type, disposition: "inline" });
  expect(describe(type, true)).toEqual({ type, disposition: "attachment" });
});

test("text is shown in place as what it is", () => {
  expect(describe("text/plain")).toEqual({ type: "text/plain; charset=utf-8", disposition: "inline" });
});

test.each(["application/pdf", "application/zip", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"])(
  "%s keeps its type and is saved",
  (type) => expect(describe(type)).toEqual({ type, disposition: "attachment" }),
);

test.each(
  [
    ["text/html", "TEXT/HTML; charset=utf-8", "application/xhtml+xml", "image/svg+xml", "text/xml", "application/xml"],
    ["text/javascript", "application/javascript", "application/x-ecmascript", "text/jscript", "text/css", "application/wasm"],
    ["", "nonsense", "text/", "/plain", "text/plain\r\nSet-Cookie: a=b", "text/plain, text/html", "x".repeat(300)],
  ].flat(),
)("%j is never sent under its own name", (type) => {
  expect(describe(type)).toEqual({ type: "application/octet-stream", disposition: "attachment" });
});

test.each(["text/html", "image/png", "text/plain", "video/mp4"])("%s gets no script and no sniffing", (mediaType) => {
  const headers = contentHeaders({ name: "x", mediaType }, false);
  expect(headers["content-security-policy"]).toMatch(/^sandbox[^;]*; default-src 'none'/);
  expect(headers["content-security-policy"]).not.toContain("script");
  expect(headers["x-content-type-options"]).toBe("nosniff");
});

test("only a recording keeps its origin, which its player needs", () => {
  const policyOf = (mediaType: string) => contentHeaders({ name: "x", mediaType }, false)["content-security-policy"]!;
  expect(["audio/wav", "video/mp4"].map((type) => policyOf(type).includes("allow-same-origin"))).toEqual([true, true]);
  expect(["image/png", "text/plain", "text/html", "application/pdf"].some((type) => policyOf(type).includes("allow-same-origin"))).toBe(
    false,
  );
});
