/** The end of a run, in words and figures. */
import type { ChunkStoreKind } from "@holdfast/core/chunk-store";
import type { Ledger } from "./ledger.ts";
import type { Expectations } from "./expectations.ts";
import type { Injector } from "./faults/injector.ts";
import type { FileFindings } from "./invariants/files.ts";
import type { StrayFindings } from "./invariants/copies.ts";
import type { Measurements } from "./measurements.ts";
import type { Settled } from "./settle.ts";
import type { Tidied } from "./tidy.ts";
import { describeCounts, outOf, row } from "./wording.ts";

export interface Outcome {
  seed: string;
  /** What keeps the chunks on the nodes. */
  store: ChunkStoreKind;
  ledger: Ledger;
  expectations: Expectations;
  injector: Injector;
  files: FileFindings;
  tidied: Tidied;
  measurements: Measurements;
  settled: Settled;
  /** Of them all, and of the time in which faults were done. */
  seconds: number;
  faultSeconds: number;
}

export function describeOutcome(outcome: Outcome): string {
  const { seed, ledger, expectations, injector, files, tidied, measurements, settled, faultSeconds } = outcome;
  const { acked, failed, unknown } = ledger.counts;
  const statuses = [...measurements.statuses].toSorted(([a], [b]) => a.localeCompare(b));
  return [
    "",
    row("operations", `${acked} acknowledged, ${failed} failed, ${unknown} unknown`),
    row("unknown uploads", `${files.unsureThere} wholly there, ${files.unsureAbsent} wholly not`),
    row("answers", describeCounts(statuses)),
    row("faults", `${injector.done} in ${faultSeconds.toFixed(0)} s: ${describeCounts(injector.counts)}`),
    ...injector.skipped.map((line) => row("left out", line)),
    row("acknowledged versions lost", `${outOf(files.versionsLost, files.versionsAcked)}, ${files.bytesLost} bytes`),
    row("wrong bytes served", `${expectations.wrongBytes} of ${expectations.bytesVerified} compared`),
    row("copies read from the nodes", `${settled.copies.copies} of ${settled.copies.chunks} chunks`),
    row("left on the nodes", describeStrays(tidied.before)),
    row("until the cluster says ok", seconds(settled.okSeconds)),
    row("until every copy was read back", seconds(settled.wholeSeconds)),
    row("until all else was cleaned up", tidied.seconds === undefined ? "not in time" : `${tidied.seconds.toFixed(1)} s more`),
    ...["first byte of a read", "change", "upload up to 1 MiB", "upload over 1 MiB"].map((kind) =>
      row(kind, latencies(measurements, kind)),
    ),
    row("ledger", ledger.path),
    "",
    ...expectations.violations.map((line) => `VIOLATION ${line}`),
    `chaos: seed ${seed}, ${expectations.violations.length} violations`,
  ].join("\n");
}

function describeStrays({ orphans, surplus, unreferenced }: StrayFindings): string {
  return `${orphans.length} orphans, ${surplus.length} surplus copies, ${unreferenced} unreferenced chunks`;
}

function latencies(measurements: Measurements, kind: string): string {
  const side = (inside: boolean): string => {
    const { count, p50Ms, p99Ms } = measurements.percentiles(kind, inside);
    return count === 0 ? "none" : `${p50Ms.toFixed(0)} / ${p99Ms.toFixed(0)} ms (${count})`;
  };
  return `p50 / p99 in faults ${side(true)}, outside ${side(false)}`;
}

function seconds(value: number | undefined): string {
  return value === undefined ? "not in time" : `${value.toFixed(1)} s after the last fault`;
}
