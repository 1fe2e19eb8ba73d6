import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { cruise, type ICruiseResult } from "dependency-cruiser";
import { expect, test } from "vitest";
import { forbidden, options } from "./architecture.ts";
import { root } from "./prepare.ts";

async function check(directory: string): Promise<ICruiseResult> {
  const places = ["packages", "apps"];
  const { output } = await cruise(places, { ...options, baseDir: directory, validate: true, ruleSet: { forbidden } });
  return output as ICruiseResult;
}

test("no import of the project points the wrong way, and the checker saw the whole of it", async () => {
  const { modules, summary } = await check(root);
  expect(summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`)).toEqual([]);
  for (const place of [
    "packages/db/src/",
    "packages/core/src/",
    "packages/ui/src/",
    "apps/web/src/",
    "apps/admin/src/",
    "apps/node/src/",
  ]) {
    expect(modules.filter(({ source }) => source.startsWith(place)).length, place).toBeGreaterThan(4);
  }
});

test.for<[rule: string, from: string, to: string]>([
  ["db-is-a-leaf", "packages/db/src/query.ts", "packages/core/src/drive/index.ts"],
  ["core-knows-no-app", "packages/core/src/drive/index.ts", "apps/web/server.ts"],
  ["ui-is-only-looks", "packages/ui/src/button.ts", "packages/core/src/drive/index.ts"],
  ["apps-are-strangers", "apps/web/server.ts", "apps/admin/server.ts"],
  ["browser-code-takes-only-types", "apps/web/src/features/list.ts", "apps/web/src/server/routers.ts"],
  ["doors-only", "packages/core/src/drive/index.ts", "packages/core/src/upload/row.ts"],
  ["plans-are-pure", "packages/core/src/failure-detection/plan.ts", "node:fs"],
])("%s is reported when somebody plants it", async ([rule, from, to]) => {
  const directory = mkdtempSync(join(tmpdir(), "holdfast-imports-"));
  try {
    for (const place of ["packages", "apps"]) mkdirSync(join(directory, place));
    if (!to.startsWith("node:")) plant(directory, to, "export const planted = 1;");
    const specifier = to.startsWith("node:") ? to : join(directory, to);
    plant(directory, from, `import * as planted from "${specifier}"; export { planted };`);
    const { summary } = await check(directory);
    expect(summary.violations.map((violation) => violation.rule.name)).toContain(rule);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

function plant(directory: string, file: string, text: string): void {
  mkdirSync(dirname(join(directory, file)), { recursive: true });
  writeFileSync(join(directory, file), text);
}
