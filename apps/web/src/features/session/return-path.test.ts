import { expect, test } from "vitest";
import { safeReturnPath, signInPath } from "./return-path.ts";

test.each(["//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)", "", "/sign-in?next=/"])(
  "a sign-in link that would lead to %s leads home",
  (next) => expect(safeReturnPath(next)).toBe("/"),
);

test("a folder asked for before signing in is where one arrives after", () => {
  const path = "/folder/7?sort=name";
  const next = new URL(signInPath(path), "http://drive.example").searchParams.get("next");
  expect(safeReturnPath(next!)).toBe(path);
});
