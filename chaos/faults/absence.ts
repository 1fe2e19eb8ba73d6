/**
 * A node that is away for longer than anything is remembered of what was deleted meanwhile. A day would pass; so the rows of
 * chunks that no node has any more are made a day older, as soon as no answer from before can count on them.
 */
import { setTimeout as delay } from "node:timers/promises";
import { chunkIdFromBytes } from "@holdfast/core/chunking";
import { limits, SECOND_MS } from "@holdfast/core/kernel";
import type { Database } from "@holdfast/db";
import type { NodeDisk } from "./chunk-files.ts";
import type { NodeVictim } from "./victims.ts";

const POLL_MS = 2 * SECOND_MS;
/** No request of a gateway takes as long. */
const ANSWERS_DEAD_MS = 20 * SECOND_MS;

const AGE_TOMBSTONES = `
  UPDATE chunk SET trashing_until = trashing_until - $1::bigint * interval '1 millisecond'
   WHERE state = 'condemned' AND replicas = '{}'
     AND trashing_until BETWEEN clock_timestamp() - interval '1 hour' AND clock_timestamp() - $2::bigint * interval '1 millisecond'`;

/** Returns how many chunks it brought back that no row knew any more. */
export async function absent({ pool }: Pick<Database, "pool">, node: NodeVictim, disk: NodeDisk, forMs: number): Promise<number> {
  await node.process.unplug();
  const ends = performance.now() + forMs;
  while (performance.now() < ends) {
    await delay(POLL_MS);
    await pool.query(AGE_TOMBSTONES, [limits.chunkTombstoneMs, ANSWERS_DEAD_MS]).catch(() => undefined); // the database has its own bad moments
  }
  const { rows } = await pool.query<{ id: Buffer }>("SELECT id FROM chunk");
  const known = new Set(rows.map(({ id }) => chunkIdFromBytes(id)));
  const forgotten = disk.ids().filter((id) => !known.has(id)).length;
  await node.process.start();
  return forgotten;
}
