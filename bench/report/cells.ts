/** A row as it is read: figures with as many digits as mean something, and a plain verdict. */
import { MB, median, type Row, type Target } from "./row.ts";

/** Rows of one scenario, measured on one subject. */
export interface Section {
  number: number;
  title: string;
  /** The Drive, or a peer. */
  subject: string;
  rows: readonly Row[];
  /** Why there are no figures. */
  failure?: string;
}

type Column = [name: string, cell: (row: Row) => string];

const COLUMNS: readonly Column[] = [
  ["median", (row) => withUnit(figure(median(row.values)), row.unit)],
  ["range", ({ values }) => (values.length > 1 ? `${figure(Math.min(...values))}–${figure(Math.max(...values))}` : "")],
  ["p50 / p99", ({ latency }) => (latency ? `${figure(latency.p50Ms)} / ${figure(latency.p99Ms)} ms` : "")],
  ["CPU of the servers", ({ cpu }) => (cpu ? `${figure(cpu.server)} ${cpu.unit}` : "")],
  ["of the client", ({ cpu }) => (cpu ? figure(cpu.client) : "")],
  ["of others", ({ othersShare }) => (othersShare === undefined ? "" : percent(othersShare))],
  ["memory, gateway / node", ({ peakBytes }) => (peakBytes ? `${megabytes(peakBytes.gateway)} / ${megabytes(peakBytes.node)} MB` : "")],
  ["limit", ({ limit }) => (limit ? `${figure(limit.value)} (${limit.name})` : "")],
  ["of it", ({ limit, values }) => (limit ? percent(median(values) / limit.value) : "")],
  ["target", (row) => (row.targets ?? []).map((target) => verdict(row, target)).join(", ")],
];

/** A table with its head: what was measured of one claim, on all that it was measured on. Columns that say nothing are left out. */
export function tableOf(sections: readonly Section[]): string[][] {
  const rows = sections.flatMap(({ rows, subject }) => rows.map((row) => ({ row, subject })));
  const columns = COLUMNS.filter(([, cell]) => rows.some(({ row }) => cell(row) !== ""));
  const body = rows.map(({ row, subject }) => [row.name, subject, ...columns.map(([, cell]) => cell(row))]);
  return [["", "on", ...columns.map(([name]) => name)], ...body];
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

function withUnit(value: string, unit: string): string {
  return unit === "" ? value : `${value} ${unit}`;
}

function percent(share: number): string {
  return `${figure(share * 100)} %`;
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
