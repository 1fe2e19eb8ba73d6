"use client";
import { useQueryClient } from "@tanstack/react-query";
import { useSubscription } from "@trpc/tanstack-react-query";
import { createContext, type ReactNode, use, useEffect, useState } from "react";
import type { LiveUpdate } from "../../server/live.ts";
import { useTRPC } from "../api/trpc.ts";
import { useSeconds } from "./seconds.ts";

const RETRY_MS = 3_000;

export interface Live extends LiveUpdate {
  /** When it arrived, by this browser's clock. */
  receivedAtMs: number;
}

const LiveContext = createContext<Live | undefined>(undefined);

/** What the controller last sent; undefined before the first word. */
export const useLive = (): Live | undefined => use(LiveContext);

/** Holds the one stream of the page, and opens it again for as long as it takes. */
export function LiveProvider({ children }: { children: ReactNode }) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const [live, setLive] = useState<Live>();
  const newestEvent = live?.events?.[0]?.id;

  const { status, reset } = useSubscription(
    trpc.cluster.live.subscriptionOptions(undefined, { onData: (update) => setLive({ ...update, receivedAtMs: Date.now() }) }),
  );

  useEffect(() => {
    if (status !== "error") return;
    void queryClient.invalidateQueries(trpc.account.me.queryFilter()); // perhaps the session is over
    const retry = setTimeout(reset, RETRY_MS);
    return () => clearTimeout(retry);
  }, [status, reset, queryClient, trpc]);

  useEffect(() => {
    if (newestEvent !== undefined) void queryClient.invalidateQueries(trpc.events.pathFilter());
  }, [newestEvent, queryClient, trpc]);

  return <LiveContext value={live}>{children}</LiveContext>;
}

/** How long ago something was, by the server's clock: this browser's may be wrong by hours. Never negative. */
export function useAgeMs(at: Date | null): number | undefined {
  const live = useLive();
  const nowMs = useSeconds();
  if (live === undefined || at === null) return undefined;
  const serverNowMs = live.sentAt.getTime() + Math.max(0, nowMs - live.receivedAtMs);
  return Math.max(0, serverNowMs - at.getTime());
}
