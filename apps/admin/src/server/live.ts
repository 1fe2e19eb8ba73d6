import { setTimeout as delay } from "node:timers/promises";
import type { ClusterReport } from "@holdfast/core/cluster-state";
import { type EventRecord, listEvents } from "@holdfast/core/events";
import { isDatabaseUnavailable } from "@holdfast/core/http-edge";
import { SECOND_MS } from "@holdfast/core/kernel";
import type { Services } from "./services.ts";

const INTERVAL_MS = 2 * SECOND_MS;
const EVENTS = 8;

export interface LiveUpdate {
  cluster: ClusterReport;
  /** The latest, newest first; null while the database is away. */
  events: EventRecord[] | null;
  /** When this was sent, by our clock: what a browser compares the other times with. */
  sentAt: Date;
}

/** Everything a screen shows, every two seconds until the reader leaves. `authorise` is asked again each time. */
export async function* liveUpdates(services: Services, authorise: () => Promise<unknown>, signal: AbortSignal): AsyncGenerator<LiveUpdate> {
  while (!signal.aborted) {
    await unlessDatabaseAway(authorise());
    const [cluster, events] = await Promise.all([
      services.clusterState.read(),
      unlessDatabaseAway(listEvents(services.database.pool, { limit: EVENTS })),
    ]);
    yield { cluster, events: events?.items ?? null, sentAt: new Date() };
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
