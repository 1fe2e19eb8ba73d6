"use client";
import { formatDuration } from "@holdfast/ui";
import { useState } from "react";
import { useAgeMs, useLive } from "./live-provider.tsx";
import { useSeconds } from "./seconds.ts";

/** Three missed updates. */
const STALE_AFTER_MS = 7_000;

/** Why the figures on the page are not of now, in plain words; undefined while they are. */
export function useStaleness(): string | undefined {
  const live = useLive();
  const nowMs = useSeconds();
  const [openedAtMs] = useState(() => Date.now());
  const factsAgeMs = useAgeMs(live?.cluster.asOf ?? null) ?? 0;

  const silenceMs = nowMs - (live?.receivedAtMs ?? openedAtMs);
  if (silenceMs > STALE_AFTER_MS) {
    return live === undefined
      ? "No answer yet: the console, its database or the network is away. Trying again by itself."
      : `No news from the controller for ${formatDuration(silenceMs)}. The figures are from then; trying again by itself.`;
  }
  if (factsAgeMs > STALE_AFTER_MS) return `The controller cannot reach its database. The figures are ${formatDuration(factsAgeMs)} old.`;
  return undefined;
}
