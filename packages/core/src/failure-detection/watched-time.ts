import type { Clock } from "../kernel/index.ts";

export interface HeartbeatWatch {
  /** A node was heard now. */
  heard(nodeId: number): void;
  /** Somebody looked: the time since the last look counts as watched, up to `gapMaxMs`. */
  look(): void;
  /** For how long of the watched time a node was silent. */
  silence(nodeId: number): Silence;
}

export interface Silence {
  ms: number;
  /** False when it was not heard once since the watch began; `ms` is then the whole time of the watch. */
  everHeard: boolean;
}

/**
 * Measures silence in *watched* time, not in time. While the controller was stopped, swapped out or without its database, it
 * could not have heard anybody: such a gap counts as `gapMaxMs` at most, or its own hiccup would look like the death of
 * every node at once. For the same reason a new watch begins at zero whatever the clock says.
 */
export function createHeartbeatWatch(clock: Clock, gapMaxMs: number): HeartbeatWatch {
  const heardAt = new Map<number, number>(); // in watched milliseconds
  let watchedMs = 0;
  let lookedAtMs = clock.monotonicMs();
  const sinceLook = (): number => Math.min(clock.monotonicMs() - lookedAtMs, gapMaxMs);
  return {
    heard: (nodeId) => void heardAt.set(nodeId, watchedMs + sinceLook()),
    look() {
      watchedMs += sinceLook();
      lookedAtMs = clock.monotonicMs();
    },
    silence(nodeId) {
      const at = heardAt.get(nodeId);
      return { ms: watchedMs - (at ?? 0), everHeard: at !== undefined };
    },
  };
}
