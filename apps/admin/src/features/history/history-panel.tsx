"use client";
import { Card, CardHeader, cn, EmptyState, Skeleton } from "@holdfast/ui";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { ChartArea } from "lucide-react";
import Link from "next/link";
import { CouldNotRead } from "../api/could-not-read.tsx";
import { useTRPC } from "../api/trpc.ts";
import { CapacityChart } from "./capacity-chart.tsx";
import { type HistorySpan, spans } from "./spans.ts";

const REFRESH_MS = 60_000;

/** Capacity over time, of one node or of all together. The span is part of the address. */
export function HistoryPanel({ span, path, nodeId }: { span: HistorySpan; path: string; nodeId?: number }) {
  const history = useQuery(
    useTRPC().cluster.history.queryOptions({ span, nodeId }, { refetchInterval: REFRESH_MS, placeholderData: keepPreviousData }),
  );
  const isEmpty = history.data?.every((point) => point.capacityBytes === null) ?? false;
  return (
    <Card>
      <CardHeader title="Capacity" description={nodeId === undefined ? "Of the nodes that answered at the time" : undefined}>
        <SpanPicker current={span} path={path} />
      </CardHeader>
      <div className="p-4">
        {history.isPending && <Skeleton className="h-88" />}
        {history.isError && <CouldNotRead onRetry={() => void history.refetch()} />}
        {isEmpty && (
          <EmptyState icon={<ChartArea />} title="Nothing was reported in this time" className="h-88">
            Figures are noted every minute while a node answers.
          </EmptyState>
        )}
        {history.data && !isEmpty && <CapacityChart points={history.data} span={span} />}
      </div>
    </Card>
  );
}

function SpanPicker({ current, path }: { current: HistorySpan; path: string }) {
  return (
    <nav aria-label="Span of the chart" className="flex gap-0.5 rounded-md bg-hover p-0.5 max-sm:w-full max-sm:justify-between">
      {Object.entries(spans).map(([span, { name }]) => (
        <Link
          key={span}
          href={`${path}?span=${span}`}
          scroll={false}
          replace
          aria-current={span === current ? "true" : undefined}
          className={cn(
            "flex h-7 items-center rounded-[0.375rem] px-2.5 text-sm font-medium text-ink-muted transition-colors hover:text-ink pointer-coarse:h-9",
            span === current && "bg-surface text-ink",
          )}
        >
          {name}
        </Link>
      ))}
    </nav>
  );
}
