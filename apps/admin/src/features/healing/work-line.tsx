import { Badge, formatBytes, formatDuration, formatRate, ProgressBar } from "@holdfast/ui";
import type { ComponentProps, ReactNode } from "react";
import type { Work } from "./work.ts";

const STATES: Record<
  Work["state"],
  { word: string; badge: ComponentProps<typeof Badge>["tone"]; bar: "active" | "paused" | "failed" | "done" }
> = {
  waiting: { word: "Waiting", badge: "neutral", bar: "paused" },
  running: { word: "Running", badge: "info", bar: "active" },
  paused: { word: "Paused", badge: "neutral", bar: "paused" },
  blocked: { word: "Blocked", badge: "degraded", bar: "failed" },
  done: { word: "Done", badge: "ok", bar: "done" },
  cancelled: { word: "Cancelled", badge: "neutral", bar: "paused" },
};

/** One repair or rebalance: what, why, how far, how fast, and what stands in its way. */
export function WorkLine({ title, work, children }: { title: string; work: Work; children?: ReactNode }) {
  const { word, badge, bar } = STATES[work.state];
  return (
    <li className="flex flex-col gap-2 px-4 py-3">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <span className="font-medium">{title}</span>
        <Badge tone={badge}>{word}</Badge>
        <span className="ml-auto flex gap-2">{children}</span>
      </div>
      <p className="text-ink-muted">{work.why}</p>
      {work.blocked !== "" && <p>{work.blocked}</p>}
      <ProgressBar label={`${title}: how much is done`} share={shareOf(work)} tone={bar} />
      <p className="figures text-sm text-ink-muted">{figuresOf(work)}</p>
    </li>
  );
}

function shareOf({ state, bytesDone, bytesTotal }: Work): number {
  if (bytesTotal > 0) return Math.min(1, bytesDone / bytesTotal);
  return state === "done" ? 1 : 0;
}

function figuresOf({ state, bytesDone, bytesTotal, chunksDone, chunksTotal, chunksFailed, bytesPerSecond, etaSeconds }: Work): string {
  const running = state === "running";
  return [
    `${formatBytes(bytesDone)} of ${formatBytes(bytesTotal)}`,
    `${chunksDone.toLocaleString("en")} of ${chunksTotal.toLocaleString("en")} chunks`,
    ...(chunksFailed > 0 ? [`${chunksFailed.toLocaleString("en")} failed and will be tried again`] : []),
    ...(running ? [formatRate(bytesPerSecond)] : []),
    ...(running && etaSeconds !== null ? [`${formatDuration(etaSeconds * 1000)} left`] : []),
  ].join(" · ");
}
