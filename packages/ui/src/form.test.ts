import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, test } from "vitest";
import { Form } from "./form.tsx";

test("a form that is sent before its script is there is sent as a POST", () => {
  expect(renderToStaticMarkup(createElement(Form, { onSubmit: () => undefined }))).toBe('<form method="post"></form>');
});

test("where something secret is typed, the form is that one", () => {
  const root = join(import.meta.dirname, "../../..");
  const asking = globSync("{apps,packages}/*/src/**/*.tsx", { cwd: root, exclude: ["**/node_modules/**"] }).filter((path) =>
    readFileSync(join(root, path), "utf8").includes('type="password"'),
  );
  expect(asking.length).toBeGreaterThan(0);
  for (const path of asking) expect(readFileSync(join(root, path), "utf8"), path).not.toContain("<form");
});
