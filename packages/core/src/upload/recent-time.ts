import type pg from "pg";
import { type Clock, SECOND_MS, systemClock } from "../kernel/index.ts";

/** A time of the database's that is past, though not for long: whatever is asked for after the call is younger. */
export type RecentTime = () => Promise<Date>;

const RECENT_MS = 1 * SECOND_MS;

/** Asks once in a while, for all who want to know. */
export function createRecentTime(pool: Pick<pg.Pool, "query">, clock: Clock = systemClock): RecentTime {
  let known: { time: Promise<Date>; askedAtMs: number } | undefined;

  const ask = (askedAtMs: number): Promise<Date> => {
    const asked = { time: readTime(pool), askedAtMs };
    known = asked;
    asked.time.catch(() => {
      if (known === asked) known = undefined; // the next one asks again
    });
    return asked.time;
  };

  return async () => {
    const now = clock.monotonicMs();
    return await (known !== undefined && now - known.askedAtMs <= RECENT_MS ? known.time : ask(now));
  };
}

async function readTime(pool: Pick<pg.Pool, "query">): Promise<Date> {
  const { rows } = await pool.query<{ now: Date }>({ name: "upload-time", text: "SELECT clock_timestamp() AS now" });
  return rows[0]!.now;
}
