import type { EventRecord } from "@holdfast/core/events";

export interface EventDay {
  /** "21 November 2026" */
  name: string;
  events: EventRecord[];
}

const day = new Intl.DateTimeFormat("en-GB", { dateStyle: "long" });

/** Keeps the order; what happened on one day, by this browser's calendar, stands together. */
export function byDay(events: readonly EventRecord[]): EventDay[] {
  const days: EventDay[] = [];
  for (const event of events) {
    const name = day.format(event.at);
    if (days.at(-1)?.name === name) days.at(-1)!.events.push(event);
    else days.push({ name, events: [event] });
  }
  return days;
}
