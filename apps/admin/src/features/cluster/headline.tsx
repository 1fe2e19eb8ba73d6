"use client";
import type { ClusterReport } from "@holdfast/core/cluster-state";
import { Skeleton, StateMark } from "@holdfast/ui";
import { useStaleness } from "../live/staleness.ts";

/** The answer to the question everybody has, before any figure. An old answer is not given as if it were of now. */
export function Headline({ cluster }: { cluster: ClusterReport | undefined }) {
  const stale = useStaleness() !== undefined;
  if (cluster === undefined) return <HeadlineSkeleton />;
  const outdated = stale && cluster.state !== "unknown";
  return (
    <header className="flex min-h-24 flex-col justify-center gap-1.5 py-2">
      <StateMark state={outdated ? "unknown" : cluster.state} className="text-lg" />
      <h1 aria-live="polite" className="max-w-3xl text-xl font-semibold text-balance">
        {outdated ? `There is no news from the controller. When it last spoke: ${cluster.why}` : cluster.why}
      </h1>
    </header>
  );
}

function HeadlineSkeleton() {
  return (
    <header className="flex min-h-24 flex-col justify-center gap-1.5 py-2">
      <h1 className="sr-only">Overview</h1>
      <Skeleton className="h-5 w-20" />
      <Skeleton className="h-7 w-full max-w-xl" />
    </header>
  );
}
