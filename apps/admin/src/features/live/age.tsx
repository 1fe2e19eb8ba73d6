"use client";
import { formatDuration, formatExactTime } from "@holdfast/ui";
import { useAgeMs } from "./live-provider.tsx";

/** How long ago something was, second by second; the exact moment on hover. */
export function Age({ at, className }: { at: Date | null; className?: string }) {
  const ageMs = useAgeMs(at);
  if (at === null || ageMs === undefined) return <span className={className}>never</span>;
  return (
    <time dateTime={at.toISOString()} title={formatExactTime(at)} className={className}>
      {formatDuration(ageMs)} ago
    </time>
  );
}
