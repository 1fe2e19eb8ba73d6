import type { HistorySpan } from "@holdfast/core/capacity-history";

export type { HistorySpan };

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** The spans a chart offers, with what its axis names and how. */
export const spans: Record<HistorySpan, { name: string; tickMs: number; tick: Intl.DateTimeFormatOptions }> = {
  hour: { name: "Hour", tickMs: 10 * MINUTE_MS, tick: { hour: "2-digit", minute: "2-digit" } },
  day: { name: "Day", tickMs: 4 * HOUR_MS, tick: { hour: "2-digit", minute: "2-digit" } },
  week: { name: "Week", tickMs: 24 * HOUR_MS, tick: { weekday: "short", day: "numeric" } },
  quarter: { name: "90 days", tickMs: 14 * 24 * HOUR_MS, tick: { day: "numeric", month: "short" } },
};

/** From an address; anything else is an hour. */
export function parseSpan(text: string | string[] | undefined): HistorySpan {
  return typeof text === "string" && Object.hasOwn(spans, text) ? (text as HistorySpan) : "hour";
}
