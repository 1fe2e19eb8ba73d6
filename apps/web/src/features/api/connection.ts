/**
 * Whether the server can be used right now, judged by what the app's own requests met.
 *
 * One store for the whole page: a banner that says it once is calmer than each part saying it for itself.
 */
import { isTemporary, wordsFor } from "@holdfast/ui";
import { TRPCClientError, type TRPCLink } from "@trpc/client";
import { observable } from "@trpc/server/observable";
import { useSyncExternalStore } from "react";
import type { AppRouter } from "../../server/routers/index.ts";

let trouble: string | undefined;
const listeners = new Set<() => void>();

function report(next: string | undefined): void {
  if (next === trouble) return;
  trouble = next;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Why nothing can be reached, in plain words; undefined while all is well. */
export function useConnectionTrouble(): string | undefined {
  return useSyncExternalStore(
    subscribe,
    () => trouble,
    () => undefined,
  );
}

/** Watches each request's outcome; changes nothing about it. */
export const connectionLink: TRPCLink<AppRouter> =
  () =>
  ({ op, next }) =>
    observable((observer) =>
      next(op).subscribe({
        next: (value) => {
          report(undefined);
          observer.next(value);
        },
        error: (error) => {
          const cancelled = error instanceof TRPCClientError && error.cause?.name === "AbortError";
          if (!cancelled) report(isTemporary(error) ? wordsFor(error) : undefined);
          observer.error(error);
        },
        complete: () => observer.complete(),
      }),
    );
