/** What nobody needs any more has to go by itself, and then database and nodes must agree to the last chunk. */
import { setTimeout as delay } from "node:timers/promises";
import { checkConsistency, describeConsistency, exitCodeOf } from "@holdfast/core/fsck";
import { SECOND_MS } from "@holdfast/core/kernel";
import type { NodeClients } from "@holdfast/core/node-client";
import type { Database } from "@holdfast/db";
import { findStrays, type StrayFindings } from "./invariants/copies.ts";

const POLL_MS = 2 * SECOND_MS;

export interface Tidied {
  /** What lay about when the waiting began. */
  before: StrayFindings;
  /** Undefined when it did not all go in time. */
  seconds: number | undefined;
  violations: string[];
}

export async function tidy({ pool }: Pick<Database, "pool">, clients: NodeClients, limitMs: number): Promise<Tidied> {
  const startMs = performance.now();
  const before = await findStrays({ pool }, clients);
  let strays = before;
  while (!isTidy(strays) && performance.now() - startMs < limitMs) {
    await delay(POLL_MS);
    strays = await findStrays({ pool }, clients);
  }
  const seconds = isTidy(strays) ? (performance.now() - startMs) / 1_000 : undefined;
  const consistency = await checkConsistency({ pool, clients });
  const contradictions = exitCodeOf(consistency) === 0 ? [] : [`fsck: ${describeConsistency(consistency).join("; ")}`];
  return { before, seconds, violations: [...leftovers(strays, limitMs), ...contradictions] };
}

function isTidy({ orphans, surplus, unreferenced }: StrayFindings): boolean {
  return orphans.length + surplus.length + unreferenced === 0;
}

function leftovers({ orphans, surplus, unreferenced }: StrayFindings, limitMs: number): string[] {
  const after = `after ${limitMs / SECOND_MS} s`;
  return [
    ...(orphans.length > 0 ? [`${after} ${orphans.length} orphans are still on nodes; for example ${orphans.slice(0, 3).join(", ")}`] : []),
    ...(surplus.length > 0
      ? [`${after} ${surplus.length} copies are on nodes that no row names; for example ${surplus.slice(0, 3).join(", ")}`]
      : []),
    ...(unreferenced > 0 ? [`${after} ${unreferenced} chunks that nothing refers to are still live`] : []),
  ];
}
