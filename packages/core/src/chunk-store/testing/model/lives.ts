import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import type { StoreKind } from "../stores/index.ts";
import { followModel } from "./model-run.ts";
import { askedIn, operations } from "./operations.ts";

export interface Lives {
  /** The same seed makes the same lives. */
  seed: number;
  count: number;
  /** Operations of the longest. */
  lengthMax: number;
  /** Where each gets a directory of its own. */
  scratch: string;
}

/**
 * Gives new stores random lives, and counts what they were asked. Rejects at the first that differs from the model, with its seed
 * and, when time is no matter, the shortest life that does.
 */
export async function liveThrough(kind: StoreKind, { seed, count, lengthMax, scratch }: Lives, shorten: boolean): Promise<number> {
  let performed = 0;
  const property = fc.asyncProperty(operations(lengthMax), async (life) => {
    const directory = mkdtempSync(join(scratch, "holdfast-model-"));
    try {
      await followModel(kind, directory, life);
      performed += askedIn(life);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
  await fc.assert(property, { seed, numRuns: count, endOnFailure: !shorten });
  return performed;
}
