/**
 * `npm run chaos -- mutants [part of a name…]`: takes each guard out of a private copy of the checkout and expects the tests
 * to notice. The production code has no switches for this; a mutant is a small patch, and one that fits no more is an error.
 */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { runtimeFlags } from "../../packages/cluster/src/runtime-flags.ts";
import { MiB } from "@holdfast/core/kernel";
import { type Mutant, patched } from "./mutant.ts";
import { mutants } from "./mutants.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const NOT_COPIED = new Set([".git", "node_modules", ".next", "coverage", ".holdfast"]);
const OURS = "@holdfast";

/** Returns the exit code. Names select mutants; none means all. */
export function runMutants(names: readonly string[]): number {
  const wanted = mutants.filter(({ name }) => names.length === 0 || names.some((part) => name.includes(part)));
  const copy = mkdtempSync(join(tmpdir(), "holdfast-mutants-"));
  try {
    copyCheckout(copy);
    const trusted = new Set(provenHealthy(wanted, copy));
    const caught = wanted.filter((mutant) => trusted.has(keyOf(mutant.caughtBy)) && isCaught(mutant, copy));
    console.log(`mutants: ${caught.length} caught, ${wanted.length - caught.length} not`);
    return caught.length === wanted.length && wanted.length > 0 ? 0 : 1;
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/** A test that fails anyway catches nothing: each is run once on the code as it is. */
function provenHealthy(wanted: readonly Mutant[], copy: string): string[] {
  const catchers = new Map(wanted.map(({ caughtBy }) => [keyOf(caughtBy), caughtBy]));
  return [...catchers].flatMap(([key, catcher]) => {
    if (passes(catcher, copy)) return [key];
    console.log(`NOT PROVEN  what should catch mutants fails without them, too: ${key}`);
    return [];
  });
}

function keyOf(catcher: Mutant["caughtBy"]): string {
  return "chaos" in catcher ? `chaos ${catcher.chaos.join(" ")}` : `${catcher.project} ${catcher.tests}`;
}

function isCaught({ name, patches, caughtBy }: Mutant, copy: string): boolean {
  const originals = new Map(patches.map(({ file }) => [file, readFileSync(join(copy, file), "utf8")]));
  try {
    for (const { file, find, replace } of patches) writeFileSync(join(copy, file), patched(originals.get(file)!, find, replace));
    const caught = !passes(caughtBy, copy);
    console.log(`${caught ? "caught    " : "NOT CAUGHT"}  ${name}`);
    return caught;
  } catch (error) {
    console.log(`NO PATCH    ${name}: ${(error as Error).message}`);
    return false;
  } finally {
    for (const [file, text] of originals) writeFileSync(join(copy, file), text);
  }
}

function passes(catcher: Mutant["caughtBy"], copy: string): boolean {
  return "chaos" in catcher ? chaosPasses(catcher.chaos, copy) : testsPass(catcher, copy);
}

/** True when nothing failed. Throws when no test was run at all: that is neither caught nor passed. */
function testsPass({ project, tests }: { project: string; tests: string }, copy: string): boolean {
  const report = join(copy, "report.json");
  rmSync(report, { force: true });
  execute(copy, [
    join(copy, "node_modules/vitest/vitest.mjs"),
    "run",
    "--project",
    project,
    "--reporter=json",
    `--outputFile.json=${report}`,
    tests,
  ]);
  if (!existsSync(report)) throw new Error(`${tests} could not be run`);
  const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(report, "utf8")) as Record<
    "numPassedTests" | "numFailedTests",
    number
  >;
  if (numPassedTests + numFailedTests === 0) throw new Error(`no test of ${tests} was run`);
  return numFailedTests === 0;
}

/** What the code without guards does to the copies is no matter here: only bytes that a reader got count. */
function chaosPasses(args: readonly string[], copy: string): boolean {
  const { output } = execute(copy, [...runtimeFlags, join(copy, "chaos/main.ts"), ...args]);
  if (!/^chaos: seed .*, \d+ violations$/m.test(output)) throw new Error(`the run did not come to its end:\n${output.slice(-2_000)}`);
  return !output.includes("VIOLATION wrong bytes");
}

function execute(copy: string, args: string[]): { output: string } {
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: copy, encoding: "utf8", maxBuffer: 256 * MiB });
  return { output: `${stdout}${stderr}` };
}

/** The packages are shared by links, but for our own, which lead into the copy. */
function copyCheckout(copy: string): void {
  cpSync(ROOT, copy, { recursive: true, filter: (path) => !NOT_COPIED.has(basename(path)) });
  const modules = join(copy, "node_modules");
  mkdirSync(join(modules, OURS), { recursive: true });
  for (const name of readdirSync(join(ROOT, "node_modules"))) {
    if (name !== OURS && !name.startsWith(".")) symlinkSync(join(ROOT, "node_modules", name), join(modules, name));
  }
  for (const place of ["packages", "apps"]) {
    for (const name of readdirSync(join(copy, place))) {
      symlinkSync(join(copy, place, name), join(modules, OURS, name));
      for (const derived of ["node_modules", ".next"]) {
        const original = join(ROOT, place, name, derived);
        if (existsSync(original)) symlinkSync(original, join(copy, place, name, derived));
      }
    }
  }
}
