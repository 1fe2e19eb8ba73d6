"use client";
import { buttonStyles, Card, CardHeader, RelativeTime, Skeleton } from "@holdfast/ui";
import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { CouldNotRead } from "../api/could-not-read.tsx";
import { useTRPC } from "../api/trpc.ts";
import { NoEvents } from "./no-events.tsx";
import { SeverityMark } from "./severity-mark.tsx";

const SHOWN = 8;

export function EventsCard() {
  const events = useQuery(useTRPC().events.list.queryOptions({ limit: SHOWN }));
  return (
    <Card>
      <CardHeader title="What happened" description="The latest first">
        <Link href="/events" className={buttonStyles({ size: "sm" })}>
          All events
        </Link>
      </CardHeader>
      {events.isPending && <EventsSkeleton />}
      {events.isError && <CouldNotRead onRetry={() => void events.refetch()} />}
      {events.data?.items.length === 0 && <NoEvents />}
      <ul className="divide-y">
        {events.data?.items.map(({ id, at, severity, message }) => (
          <li key={id} className="flex items-start gap-2.5 px-4 py-2.5">
            <span className="pt-0.5">
              <SeverityMark severity={severity} />
            </span>
            <span className="min-w-0 flex-1">{message}</span>
            <RelativeTime at={at} className="shrink-0 text-sm text-ink-muted" />
          </li>
        ))}
      </ul>
    </Card>
  );
}

export function EventsSkeleton() {
  return (
    <div className="divide-y">
      {[0, 1, 2, 3].map((row) => (
        <div key={row} className="px-4 py-2.5">
          <Skeleton className="h-5" />
        </div>
      ))}
    </div>
  );
}
