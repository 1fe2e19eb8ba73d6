/**
 * What this gateway has learnt about the nodes from its own reads: how long they take, and whether they answer at all.
 *
 * The controller judges health for everyone, in seconds. A reader feels a stalled node in milliseconds, so it keeps these
 * hints for itself. They order the copies and never rule one out: a last copy is tried on the worst of nodes.
 */
import { type Clock, SECOND_MS } from "../kernel/index.ts";

/** Failures in a row after which a node is tried last, and for how long. */
const TRIP_AFTER = 3;
const TRIPPED_MS = 5 * SECOND_MS;
/** What is older says nothing any more: the node gets its chance again. */
const FORGET_AFTER_MS = 30 * SECOND_MS;
/** Weight of the newest sample. */
const SMOOTHING = 0.2;

const HEDGE_MS = { unknown: 300, min: 100, max: 2 * SECOND_MS } as const;
/** A second request is sent for at most one read in ten, beyond a small reserve: helping must not double the load. */
const HEDGES_PER_READ = 0.1;
const HEDGES_SAVED_MAX = 10;

interface Standing {
  usualMs: number;
  updatedAtMs: number;
  inFlight: number;
  failuresInARow: number;
  trippedUntilMs: number;
}

/** One request to a node. Exactly one of its methods is called. */
export interface Attempt {
  succeeded(): void;
  /** No answer, or a broken one; also when another copy had to overtake it. */
  failed(): void;
  /** Nobody waits any more: says nothing about the node. */
  abandoned(): void;
}

export class NodeStandings {
  readonly #clock: Clock;
  readonly #standings = new Map<number, Standing>();
  #hedgesSaved = HEDGES_SAVED_MAX;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  begin(nodeId: number): Attempt {
    const standing = this.#of(nodeId);
    const startedAtMs = this.#clock.monotonicMs();
    standing.inFlight++;
    return {
      succeeded: () => {
        this.#learn(standing, startedAtMs);
        standing.failuresInARow = 0;
        standing.trippedUntilMs = 0;
      },
      failed: () => {
        this.#learn(standing, startedAtMs);
        if (++standing.failuresInARow >= TRIP_AFTER) standing.trippedUntilMs = this.#clock.monotonicMs() + TRIPPED_MS;
      },
      abandoned: () => void standing.inFlight--,
    };
  }

  isTripped(nodeId: number): boolean {
    return this.#of(nodeId).trippedUntilMs > this.#clock.monotonicMs();
  }

  /** How long one more request would take, going by what it usually takes and what is under way. 0 for a node not known. */
  expectedMs(nodeId: number): number {
    const standing = this.#of(nodeId);
    return this.#isKnown(standing) ? standing.usualMs * (standing.inFlight + 1) : 0;
  }

  /** After how long without an answer another copy is asked as well. */
  hedgeAfterMs(nodeId: number): number {
    const standing = this.#of(nodeId);
    return this.#isKnown(standing) ? Math.min(Math.max(4 * standing.usualMs, HEDGE_MS.min), HEDGE_MS.max) : HEDGE_MS.unknown;
  }

  countRead(): void {
    this.#hedgesSaved = Math.min(this.#hedgesSaved + HEDGES_PER_READ, HEDGES_SAVED_MAX);
  }

  /** True when a second request may be sent now; it is then counted. */
  takeHedge(): boolean {
    if (this.#hedgesSaved < 1) return false;
    this.#hedgesSaved--;
    return true;
  }

  #learn(standing: Standing, startedAtMs: number): void {
    const now = this.#clock.monotonicMs();
    const known = this.#isKnown(standing);
    standing.inFlight--;
    standing.usualMs = known ? standing.usualMs + SMOOTHING * (now - startedAtMs - standing.usualMs) : now - startedAtMs;
    standing.updatedAtMs = now;
  }

  #isKnown({ updatedAtMs }: Standing): boolean {
    return this.#clock.monotonicMs() - updatedAtMs < FORGET_AFTER_MS;
  }

  #of(nodeId: number): Standing {
    let standing = this.#standings.get(nodeId);
    if (standing === undefined) {
      standing = { usualMs: 0, updatedAtMs: -Infinity, inFlight: 0, failuresInARow: 0, trippedUntilMs: 0 };
      this.#standings.set(nodeId, standing);
    }
    return standing;
  }
}
