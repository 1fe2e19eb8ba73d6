import { setTimeout as delay } from "node:timers/promises";
import type { ClusterReport } from "@holdfast/core/cluster-state";
import { type EventRecord, listEvents } from "@holdfast/core/events";
import { type GarbageRun, listBraked } from "@holdfast/core/garbage-collection";
import { isDatabaseUnavailable } from "@holdfast/core/http-edge";
import { SECOND_MS } from "@holdfast/core/kernel";
import type { Services } from "./services.ts";

const INTERVAL_MS = 2 * SECOND_MS;
const EVENTS = 8;

export interface LiveUpdate {
  cluster: ClusterReport;
  /** The latest, newest first; null while the database is away. */
  events: EventRecord[] | null;
  /** What waits for an operator's decision. */
  held: Held;
  /** When this was sent, by our clock: what a browser compares the other times with. */
  sentAt: Date;
}

export interface Held {
  /** Why nothing is repaired, moved or cleaned up since the controller started; empty when that is over. */
  safemode: string;
  /** Clean-ups that a brake stopped; null while the database is away. */
  garbage: GarbageRun[] | null;
}

/** Everything a screen shows, every two seconds until the reader leaves. `authorise` is asked again each time. */
export async function* liveUpdates(services: Services, authorise: () => Promise<unknown>, signal: AbortSignal): AsyncGenerator<LiveUpdate> {
  while (!signal.aborted) {
    await unlessDatabaseAway(authorise());
    const [cluster, events, garbage] = await Promise.all([
      services.clusterState.read(),
      unlessDatabaseAway(listEvents(services.database.pool, { limit: EVENTS })),
      unlessDatabaseAway(listBraked(services.database.pool)),
    ]);
    const held = { safemode: services.controller.safemode.why(), garbage };
    yield { cluster, events: events?.items ?? null, held, sentAt: new Date() };
    await delay(INTERVAL_MS, undefined, { signal }).catch(() => undefined); // ends early when the reader leaves
  }
}

/** Null while the database is away: a reader who was let in stays, and is told so, until somebody can say otherwise. */
function unlessDatabaseAway<T>(work: Promise<T>): Promise<T | null> {
  return work.catch((error: unknown) => {
    if (isDatabaseUnavailable(error)) return null;
    throw error;
  });
}
