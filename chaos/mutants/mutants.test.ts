/** A mutant that fits no more would be forgotten; whoever changes a guard learns here that it has one. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { patched } from "./mutant.ts";
import { mutants } from "./mutants.ts";

const ROOT = join(import.meta.dirname, "../..");

test.each(mutants)("the patch still fits: $name", ({ patches }) => {
  for (const { file, find, replace } of patches) {
    const text = readFileSync(join(ROOT, file), "utf8");
    expect(patched(text, find, replace)).not.toBe(text);
  }
});
