"use client";
import type { EventRecord } from "@holdfast/core/events";
import { Button, Card, formatExactTime } from "@holdfast/ui";
import { useInfiniteQuery } from "@tanstack/react-query";
import { CouldNotRead } from "../api/could-not-read.tsx";
import { useTRPC } from "../api/trpc.ts";
import { byDay } from "./days.ts";
import { EventsSkeleton } from "./events-card.tsx";
import { NoEvents } from "./no-events.tsx";
import { SeverityMark } from "./severity-mark.tsx";

const PAGE = 50;
const clock = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });

/** Everything that happened, newest first, day by day; of one node or of the whole cluster. */
export function EventLog({ nodeId }: { nodeId?: number }) {
  const log = useInfiniteQuery(
    useTRPC().events.list.infiniteQueryOptions({ limit: PAGE, nodeId }, { getNextPageParam: (page) => page.nextCursor }),
  );
  const events = log.data?.pages.flatMap((page) => page.items);
  return (
    <Card>
      {log.isPending && <EventsSkeleton />}
      {log.isError && <CouldNotRead onRetry={() => void log.refetch()} />}
      {events?.length === 0 && <NoEvents />}
      {byDay(events ?? []).map(({ name, events: ofDay }) => (
        <section key={name} aria-label={name} className="border-b last:border-b-0">
          <h2 className="sticky top-0 rounded-t-md bg-surface px-4 pt-3 pb-1 text-sm font-medium text-ink-muted">{name}</h2>
          <ol>
            {ofDay.map((event) => (
              <EventLine key={event.id} event={event} />
            ))}
          </ol>
        </section>
      ))}
      {log.hasNextPage && (
        <div className="flex justify-center border-t p-3">
          <Button size="sm" busy={log.isFetchingNextPage} onClick={() => void log.fetchNextPage()}>
            {log.isFetchingNextPage ? "Loading older ones…" : "Show older ones"}
          </Button>
        </div>
      )}
    </Card>
  );
}

function EventLine({ event: { at, severity, message } }: { event: EventRecord }) {
  return (
    <li className="flex items-start gap-2.5 px-4 py-2">
      <time dateTime={at.toISOString()} title={formatExactTime(at)} className="figures w-16 shrink-0 text-ink-muted">
        {clock.format(at)}
      </time>
      <span className="pt-0.5">
        <SeverityMark severity={severity} />
      </span>
      <span className="min-w-0">{message}</span>
    </li>
  );
}
