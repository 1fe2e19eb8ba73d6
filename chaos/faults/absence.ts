/**
 * A node that is away for longer than anything is remembered of what was deleted meanwhile. A day would pass; so the rows of
 * chunks that no node has any more are made a day older, as soon as no answer from before can count on them.
 */
import { setTimeout as delay } from "node:timers/promises";
import { limits, SECOND_MS } from "@holdfast/core/kernel";
import type { Database } from "@holdfast/db";
import { Skipped } from "./patience.ts";
import type { NodeVictim } from "./victims.ts";

const POLL_MS = 2 * SECOND_MS;
/** No request of a gateway takes as long. */
const ANSWERS_DEAD_MS = 20 * SECOND_MS;

const AGE_TOMBSTONES = `
  UPDATE chunk SET trashing_until = trashing_until - $1::bigint * interval '1 millisecond'
   WHERE state = 'condemned' AND replicas = '{}'
     AND trashing_until BETWEEN clock_timestamp() - interval '1 hour' AND clock_timestamp() - $2::bigint * interval '1 millisecond'`;

/** Rejects with `Skipped` when nothing was forgotten meanwhile. */
export async function absent({ pool }: Pick<Database, "pool">, { process }: NodeVictim, forMs: number): Promise<void> {
  await process.unplug();
  const ends = performance.now() + forMs;
  let aged = 0;
  while (performance.now() < ends) {
    await delay(POLL_MS);
    const aging = pool.query(AGE_TOMBSTONES, [limits.chunkTombstoneMs, ANSWERS_DEAD_MS]).catch(() => undefined); // the database has its own bad moments
    aged += (await aging)?.rowCount ?? 0;
  }
  await process.start();
  if (aged === 0) throw new Skipped("nothing was deleted meanwhile");
}
