import type pg from "pg";
import { listEvents } from "../events/index.ts";

/** What the event log tells, oldest first, without the controllers' own changes of leader. */
export async function toldEvents(pool: pg.Pool): Promise<string[]> {
  const { items } = await listEvents(pool, { limit: 100 });
  return items
    .filter(({ kind }) => kind !== "leader.changed")
    .map(({ message }) => message)
    .toReversed();
}
