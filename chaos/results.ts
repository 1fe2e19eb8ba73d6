/** What each run came to, one JSON line each, so that many runs together can say something of rare mishaps. */
import { appendFileSync, readFileSync } from "node:fs";
import { MINUTE_MS, SECOND_MS } from "@holdfast/core/kernel";
import type { Outcome } from "./print.ts";
import { FAULT_GROUPS, type FaultKind, faultGroups } from "./schedule.ts";
import { describeCounts, outOf, row } from "./wording.ts";

interface Result {
  at: string;
  seed: string;
  store: string;
  seconds: number;
  /** Done, and not left out. */
  faults: Partial<Record<FaultKind, number>>;
  operations: { acked: number; failed: number; unknown: number };
  versionsAcked: number;
  versionsLost: number;
  bytesCompared: number;
  wrongBytes: number;
  /** Since the last fault; null when they were not in time. */
  wholeAfterSeconds: number | null;
  violations: string[];
}

export function appendResult(file: string, outcome: Outcome): void {
  appendFileSync(file, `${JSON.stringify(resultOf(outcome))}\n`);
}

function resultOf({ seed, store, seconds, injector, ledger, files, expectations, settled }: Outcome): Result {
  return {
    at: new Date().toISOString(),
    seed,
    store,
    seconds: Math.round(seconds),
    faults: Object.fromEntries(injector.counts),
    operations: ledger.counts,
    versionsAcked: files.versionsAcked,
    versionsLost: files.versionsLost,
    bytesCompared: expectations.bytesVerified,
    wrongBytes: expectations.wrongBytes,
    wholeAfterSeconds: settled.wholeSeconds ?? null,
    violations: expectations.violations,
  };
}

/** `npm run chaos -- sum file…` */
export function describeTotals(files: readonly string[]): string {
  const lines = files.flatMap((file) => readFileSync(file, "utf8").split("\n"));
  const results = lines.filter((line) => line !== "").map((line) => JSON.parse(line) as Result);
  const stores = [...new Set(results.map(({ store }) => store))];
  return stores
    .map((store) =>
      describeStore(
        store,
        results.filter((result) => result.store === store),
      ),
    )
    .join("\n\n");
}

function describeStore(store: string, results: readonly Result[]): string {
  const sum = (figure: (result: Result) => number): number => results.reduce((total, result) => total + figure(result), 0);
  const slowest = Math.max(...results.map(({ wholeAfterSeconds }) => wholeAfterSeconds ?? Number.POSITIVE_INFINITY));
  const minutes = Math.round((sum(({ seconds }) => seconds) * SECOND_MS) / MINUTE_MS);
  const notWhole = results.filter(({ wholeAfterSeconds }) => wholeAfterSeconds === null).length;
  return [
    `${store} store: ${results.length} runs, ${minutes} minutes, seeds ${results.map(({ seed }) => seed).join(", ")}`,
    ...faultGroups.flatMap((group) => describeGroup(group, results)),
    row(
      "acknowledged versions lost",
      outOf(
        sum(({ versionsLost }) => versionsLost),
        sum(({ versionsAcked }) => versionsAcked),
      ),
    ),
    row("wrong bytes served", `${sum(({ wrongBytes }) => wrongBytes)} of ${sum(({ bytesCompared }) => bytesCompared)} compared`),
    row(
      "unknown operations",
      `${sum(({ operations }) => operations.unknown)} of ${sum(({ operations }) => operations.acked + operations.failed + operations.unknown)}`,
    ),
    row(
      "runs not whole again in time",
      `${outOf(notWhole, results.length)}${notWhole === 0 ? `, at the latest after ${slowest.toFixed(0)} s` : ""}`,
    ),
    row("violations", String(sum(({ violations }) => violations.length))),
  ].join("\n");
}

/** Which fault of a run it was that did harm is not known, so all of them count as harmful then. */
function describeGroup(group: keyof typeof FAULT_GROUPS, results: readonly Result[]): string[] {
  const kinds: readonly FaultKind[] = FAULT_GROUPS[group];
  const totals = kinds.map((kind) => [kind, results.reduce((sum, { faults }) => sum + (faults[kind] ?? 0), 0)] as const);
  const all = totals.reduce((sum, [, count]) => sum + count, 0);
  if (all === 0) return [];
  const harmful = results.filter(({ versionsLost, wrongBytes }) => versionsLost + wrongBytes > 0);
  const harm = harmful.reduce((sum, { faults }) => sum + kinds.reduce((count, kind) => count + (faults[kind] ?? 0), 0), 0);
  return [row(group, `${outOf(harm, all)} with a byte lost or wrong: ${describeCounts(totals)}`)];
}
