import type { Clock } from "../kernel/index.ts";

export interface HeartbeatWatch {
  /** A node was heard now. */
  heard(nodeId: number): void;
  /** Somebody looked: the time since the last look counts as watched, up to `gapMaxMs`. */
  look(): void;
  /** For how long of the watched time a node was silent. */
  silence(nodeId: number): Silence;
  /** The watched time so far. */
  watchedMs(): number;
}

export interface Silence {
  ms: number;
  /** False when it was not heard once since the watch began; `ms` is then the whole time of the watch. */
  everHeard: boolean;
  /** For how long it had been heard without a gap when it was last heard. */
  steadyMs: number;
}

export interface HeartbeatWatchOptions {
  clock: Clock;
  /** The most that counts between two looks. */
  gapMaxMs: number;
  /** A longer silence ends a stretch of steady heartbeats. */
  steadyGapMs: number;
}

/**
 * Measures silence in *watched* time, not in time. While the controller was stopped, swapped out or without its database, it
 * could not have heard anybody: such a gap counts as `gapMaxMs` at most, or its own hiccup would look like the death of
 * every node at once. For the same reason a new watch begins at zero whatever the clock says.
 */
export function createHeartbeatWatch({ clock, gapMaxMs, steadyGapMs }: HeartbeatWatchOptions): HeartbeatWatch {
  const stretches = new Map<number, { sinceMs: number; heardMs: number }>(); // in watched milliseconds
  let watchedMs = 0;
  let lookedAtMs = clock.monotonicMs();
  const sinceLook = (): number => Math.min(clock.monotonicMs() - lookedAtMs, gapMaxMs);
  return {
    watchedMs: () => watchedMs,
    heard(nodeId) {
      const nowMs = watchedMs + sinceLook();
      const stretch = stretches.get(nodeId);
      const goesOn = stretch !== undefined && nowMs - stretch.heardMs < steadyGapMs;
      stretches.set(nodeId, { sinceMs: goesOn ? stretch.sinceMs : nowMs, heardMs: nowMs });
    },
    look() {
      watchedMs += sinceLook();
      lookedAtMs = clock.monotonicMs();
    },
    silence(nodeId) {
      const stretch = stretches.get(nodeId);
      if (stretch === undefined) return { ms: watchedMs, everHeard: false, steadyMs: 0 };
      return { ms: watchedMs - stretch.heardMs, everHeard: true, steadyMs: stretch.heardMs - stretch.sinceMs };
    },
  };
}
