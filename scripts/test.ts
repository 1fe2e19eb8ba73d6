/**
 * `npm test`: everything, in order of how fast it can fail. Ends with one plain line that counts what was run.
 *
 * A single stage: `npm test -- unit`. Stages: format, lint, types, unused, unit, cluster, browser.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findBrowser } from "./browser.ts";
import { root } from "./prepare.ts";

interface Count {
  passed: number;
  failed: number;
  skipped: number;
}

const bin = (name: string): string => join(root, "node_modules", ".bin", name);
const scratch = mkdtempSync(join(tmpdir(), "holdfast-results-"));

const stages: Record<string, () => Count> = {
  format: () => check(bin("oxfmt"), "--check", "."),
  lint: () => check(bin("oxlint"), "--quiet"),
  types: () => sum(["tsconfig.json", "apps/web", "apps/admin"].map((project) => check(bin("tsc"), "-p", project))),
  unused: () => check(bin("knip"), "--no-progress", "--no-config-hints"),
  unit: () => vitest("unit", "--coverage"),
  cluster: () => vitest("cluster"),
  browser: () => playwright(),
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in stages));
if (unknown.length > 0) {
  console.error(`There is no stage "${unknown.join('", "')}". Stages: ${Object.keys(stages).join(", ")}.`);
  process.exit(1);
}

const total = sum(
  Object.keys(stages)
    .filter((name) => wanted.length === 0 || wanted.includes(name))
    .map(runStage),
);
rmSync(scratch, { recursive: true, force: true });
const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : "";
console.log(`\ntests: ${total.passed} passed, ${total.failed} failed${skipped}`);
process.exit(total.failed === 0 ? 0 : 1);

function runStage(name: string): Count {
  console.log(`\n── ${name}`);
  const started = performance.now();
  const count = stages[name]!();
  console.log(`── ${name}: ${count.failed === 0 ? "ok" : "FAILED"} in ${((performance.now() - started) / 1000).toFixed(1)} s`);
  return count;
}

/** A tool that only says yes or no counts as one test. */
function check(file: string, ...args: string[]): Count {
  return run(file, args) ? { passed: 1, failed: 0, skipped: 0 } : { passed: 0, failed: 1, skipped: 0 };
}

function vitest(project: string, ...args: string[]): Count {
  const file = join(scratch, `${project}.json`);
  const ok = run(bin("vitest"), [
    "run",
    "--project",
    project,
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${file}`,
    ...args,
  ]);
  const result = readResult<{ numPassedTests: number; numFailedTests: number; numPendingTests: number }>(file);
  if (result === undefined) return { passed: 0, failed: 1, skipped: 0 };
  return honest({ passed: result.numPassedTests, failed: result.numFailedTests, skipped: result.numPendingTests }, ok);
}

function playwright(): Count {
  const file = join(scratch, "browser.json");
  const ok = run(bin("playwright"), ["test"], { HOLDFAST_BROWSER: findBrowser(), PLAYWRIGHT_JSON_OUTPUT_FILE: file });
  const result = readResult<{ stats: { expected: number; unexpected: number; flaky: number; skipped: number } }>(file);
  if (result === undefined) return { passed: 0, failed: 1, skipped: 0 };
  const { expected, unexpected, flaky, skipped } = result.stats;
  return honest({ passed: expected, failed: unexpected + flaky, skipped }, ok);
}

/** A runner may fail without a failed test: coverage under its bar, an error outside any test, nothing found. */
function honest(count: Count, ok: boolean): Count {
  return !ok && count.failed === 0 ? { ...count, failed: 1 } : count;
}

function run(file: string, args: string[], environment: Record<string, string> = {}): boolean {
  const { status } = spawnSync(file, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"], env: { ...process.env, ...environment } });
  return status === 0;
}

function readResult<T>(file: string): T | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as T;
  } catch {
    return undefined; // the runner died before it could write
  }
}

function sum(counts: Count[]): Count {
  return counts.reduce((a, b) => ({ passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped }), {
    passed: 0,
    failed: 0,
    skipped: 0,
  });
}
