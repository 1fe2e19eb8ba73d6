import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { limits } from "../kernel/index.ts";
import type { DriveError } from "./errors.ts";
import { nameParts, parseEntryName, parseRelativePath } from "./entry-name.ts";

describe("a name", () => {
  test.each([
    "report.pdf",
    "🎉 party 👩‍👩‍👧‍👦.png",
    "تقرير.pdf",
    "‏שלום.txt",
    "日本語",
    "trailing dots...",
    "...",
    ".hidden",
    " spaces kept ",
    "a\\b",
    "CON",
    "<script>\"&'",
    "%2e%2e",
    "x".repeat(255),
  ])("%j is kept as it is", (text) => {
    expect(parseEntryName(text)).toBe(text);
  });

  test.each(["", " ", "\u00a0", ".", "..", "a/b", "/", "../x", "a\0b", "line\nbreak", "tab\t", "\u007f", "\u0085", "\ud800"])(
    "%j is refused with what to do",
    (text) => {
      expect(() => parseEntryName(text)).toThrow(
        expect.objectContaining({ code: "name.invalid", message: expect.stringMatching(/\w+\.$/) }),
      );
    },
  );

  test.each(["x".repeat(256), "x".repeat(300), "é".repeat(128), "🎉".repeat(64)])("over 255 bytes is too long", (text) => {
    expect(() => parseEntryName(text)).toThrow(expect.objectContaining({ code: "name.too_long" }));
  });

  test("composed and decomposed letters are one name", () => {
    expect(parseEntryName("Cafe\u0301.txt")).toBe(parseEntryName("Caf\u00e9.txt"));
  });

  test("any text is either a name or refused with a code of ours", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const outcome = attempt(text);
        expect(outcome.name ?? outcome.code).toMatch(/^[^/\0]+$/);
        expect(outcome.code ?? "name.").toMatch(/^name\./);
        expect(Buffer.byteLength(outcome.name ?? "")).toBeLessThanOrEqual(limits.entryNameBytesMax);
        expect(attempt(outcome.name ?? "x").code).toBeUndefined();
      }),
    );
  });
});

function attempt(text: string): { name?: string; code?: string } {
  try {
    return { name: parseEntryName(text) };
  } catch (error) {
    return { code: (error as DriveError).code };
  }
}

describe("room for a number", () => {
  test.each([
    ["photo.jpg", "file", "photo", ".jpg"],
    ["archive.tar.gz", "file", "archive.tar", ".gz"],
    [".profile", "file", ".profile", ""],
    ["README", "file", "README", ""],
    ["v1.2", "folder", "v1.2", ""],
    ["end.", "file", "end", "."],
  ] as const)("%s of a %s is numbered between %j and %j", (name, kind, stem, extension) => {
    expect(nameParts(parseEntryName(name), kind)).toEqual({ stem, extension });
  });

  test("a numbered name is always a name again, whatever its length", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "grapheme", minLength: 1, maxLength: 255 }),
        fc.constantFrom("file" as const, "folder" as const),
        (text, kind) => {
          fc.pre(Buffer.byteLength(text.normalize("NFC")) <= limits.entryNameBytesMax && !/^\s*$|^\.{1,2}$|[/\p{Cc}]/u.test(text));
          const { stem, extension } = nameParts(parseEntryName(text), kind);
          expect(() => parseEntryName(`${stem} (999999)${extension}`)).not.toThrow();
        },
      ),
    );
  });
});

describe("a relative path", () => {
  test.each([
    ["", []],
    ["a.txt", []],
    ["photos/a.txt", ["photos"]],
    ["photos/2024/a.txt", ["photos", "2024"]],
    ["photos/2024", ["photos", "2024"]],
    ["/photos//2024/", ["photos", "2024"]],
  ])("%j asks for the folders %j", (path, folders) => {
    expect(parseRelativePath(path, "a.txt")).toEqual(folders);
  });

  test.each(["../a.txt", "a/../../b", "a/./b", "a/\0/b"])("%j is refused", (path) => {
    expect(() => parseRelativePath(path, "a.txt")).toThrow(expect.objectContaining({ code: "name.invalid" }));
  });

  test("a hundred and one folders are too deep", () => {
    expect(() => parseRelativePath("d/".repeat(101), "a.txt")).toThrow(expect.objectContaining({ code: "entry.too_deep" }));
  });
});
