/** A row as it is read: figures with as many digits as mean something, and a plain verdict. */
import { MB, median, type Row, type Target } from "./row.ts";

/** Rows of one scenario, measured on one subject. */
export interface Section {
  number: number;
  title: string;
  /** "Drive by tus", or a peer. */
  subject: string;
  rows: readonly Row[];
}

export const COLUMNS = [
  "measured",
  "on",
  "median",
  "range",
  "p50 / p99",
  "CPU, servers",
  "client",
  "memory, gateway / node",
  "limit",
  "of it",
  "target",
];

export function cellsOf({ rows, subject }: Section): string[][] {
  return rows.map((row) => [
    row.name,
    subject,
    withUnit(figure(median(row.values)), row.unit),
    rangeOf(row.values),
    row.latency ? `${figure(row.latency.p50Ms)} / ${figure(row.latency.p99Ms)} ms` : "",
    row.cpu ? `${figure(row.cpu.server)} ${row.cpu.unit}` : "",
    row.cpu ? figure(row.cpu.client) : "",
    row.peakBytes ? `${megabytes(row.peakBytes.gateway)} / ${megabytes(row.peakBytes.node)} MB` : "",
    row.limit ? `${figure(row.limit.value)} (${row.limit.name})` : "",
    row.limit ? `${figure((median(row.values) / row.limit.value) * 100)} %` : "",
    (row.targets ?? []).map((target) => verdict(row, target)).join(", "),
  ]);
}

/** "≥ 300 MB/s ✓", or how far it is from there. */
function verdict(row: Row, target: Target): string {
  const { name, unit, value } = measuredOf(row, target.of);
  const bound = target.atLeast ?? target.atMost!;
  const claim = `${name}${target.atLeast === undefined ? "≤" : "≥"} ${withUnit(figure(bound), unit)}`;
  const isMet = target.atLeast === undefined ? value <= bound : value >= bound;
  if (isMet) return `${claim} ✓`;
  const factor = target.atLeast === undefined ? value / bound : bound / value;
  return Number.isFinite(factor) ? `${claim}: ${figure(factor)} × off` : `${claim}: ${figure(value)}`;
}

function measuredOf(row: Row, of: Target["of"]): { name: string; unit: string; value: number } {
  switch (of) {
    case "value":
      return { name: "", unit: row.unit, value: median(row.values) };
    case "p99":
      return { name: "p99 ", unit: "ms", value: row.latency!.p99Ms };
    case "cpu":
      return { name: "CPU ", unit: row.cpu!.unit, value: row.cpu!.server };
    default:
      return of satisfies never;
  }
}

function rangeOf(values: readonly number[]): string {
  return values.length > 1 ? `${figure(Math.min(...values))}–${figure(Math.max(...values))}` : "";
}

function withUnit(value: string, unit: string): string {
  return unit === "" ? value : `${value} ${unit}`;
}

function megabytes(bytes: number): string {
  return bytes === 0 ? "–" : figure(bytes / MB);
}

/** Three digits are what two runs have in common at best. */
export function figure(value: number): string {
  if (Number.isNaN(value)) return "–";
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString("en");
  return value.toPrecision(3).replace(/\.?0+$/, "");
}
