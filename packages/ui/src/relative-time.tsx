"use client";
import { useSyncExternalStore } from "react";
import { formatExactTime, formatRelativeTime } from "./format.ts";

const REFRESH_MS = 30_000;

/** How long ago, kept current; the exact moment on hover. */
export function RelativeTime({ at, className }: { at: Date; className?: string }) {
  const now = useNow();
  return (
    <time dateTime={at.toISOString()} title={formatExactTime(at)} className={className}>
      {formatRelativeTime(at, new Date(now))}
    </time>
  );
}

/** One clock for every time on the page, however many rows there are. */
const clock = {
  nowMs: Date.now(),
  listeners: new Set<() => void>(),
  timer: undefined as ReturnType<typeof setInterval> | undefined,
};

function subscribe(listener: () => void): () => void {
  clock.listeners.add(listener);
  if (clock.timer === undefined) {
    clock.nowMs = Date.now();
    clock.timer = setInterval(tick, REFRESH_MS);
  }
  return () => {
    clock.listeners.delete(listener);
    if (clock.listeners.size > 0) return;
    clearInterval(clock.timer);
    clock.timer = undefined;
  };
}

function tick(): void {
  clock.nowMs = Date.now();
  for (const listener of clock.listeners) listener();
}

function useNow(): number {
  return useSyncExternalStore(
    subscribe,
    () => clock.nowMs,
    () => clock.nowMs,
  );
}
