/** The same report for a terminal, for a document, and for programs. */
import { appendFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Limit } from "./row.ts";
import { figure, type Section, tableOf } from "./cells.ts";

export interface Report {
  /** Which machine, how loaded, durable or not: without it no figure means anything. */
  circumstances: Record<string, string>;
  limits: readonly (Limit & { unit: string })[];
  sections: readonly Section[];
}

const HISTORY = join(import.meta.dirname, "../history");

export function textOf({ circumstances, limits, sections }: Report): string {
  const facts = Object.entries(circumstances).map(([name, value]) => `${name}: ${value}`);
  const bounds = limits.map(({ name, value, unit }) => `  ${name.padEnd(66)}${figure(value).padStart(8)} ${unit}`);
  const tables = titled(sections).map(([title, alike]) => [title, ...tablesOf(alike).map(aligned), ...failuresOf(alike)].join("\n"));
  return ["", ...facts, "", "what the machine can do", ...bounds, "", tables.join("\n\n")].join("\n");
}

export function markdownOf({ circumstances, limits, sections }: Report): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const table = ([head, ...rows]: readonly (readonly string[])[]): string =>
    [line(head!), line(head!.map(() => "---")), ...rows.map(line)].join("\n");
  const facts = Object.entries(circumstances).map(([name, value]) => `- ${name}: ${value}`);
  const bounds = limits.map(({ name, value, unit }) => [name, `${figure(value)} ${unit}`]);
  const tables = titled(sections).map(([title, alike]) =>
    [`### ${title}`, ...tablesOf(alike).map(table), ...failuresOf(alike)].join("\n\n"),
  );
  return [facts.join("\n"), table([["what the machine can do", ""], ...bounds]), ...tables].join("\n\n");
}

/** Adds the run, as one line, to what is kept of earlier ones. Returns where. */
export function remember(report: Report): string {
  mkdirSync(HISTORY, { recursive: true });
  const path = join(HISTORY, "runs.jsonl");
  appendFileSync(path, `${JSON.stringify({ at: new Date(), ...report })}\n`);
  return path;
}

/** What was measured of the same claim on several subjects stands together. */
function titled(sections: readonly Section[]): [string, Section[]][] {
  return [...Map.groupBy(sections, ({ number, title }) => `${number}. ${title}`)];
}

/** None where nothing was measured. */
function tablesOf(sections: readonly Section[]): string[][][] {
  return sections.some(({ rows }) => rows.length > 0) ? [tableOf(sections)] : [];
}

function failuresOf(sections: readonly Section[]): string[] {
  return sections.flatMap(({ subject, failure }) => (failure === undefined ? [] : `${subject} failed: ${failure}`));
}

function aligned(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((cells) => cells[column]!.length)));
  return rows.map((cells) => `  ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join("  ")}`.trimEnd()).join("\n");
}
