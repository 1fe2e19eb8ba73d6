/**
 * What this gateway has learnt about the nodes from its own requests: whether they answer at all, and how long reads take.
 *
 * The controller judges nodes for everybody, after seconds; this judges them for one gateway, after one request. Readers and
 * writers share it: what one of them found dead, the other need not try. It orders nodes and never rules one out: a last copy is
 * read from the worst of nodes, and a quorum asks whomever it must.
 */
import { createRecentLatency, type FeltLatency } from "../foreground/index.ts";
import { type Clock, limits } from "../kernel/index.ts";
import type { Membership } from "../membership/index.ts";
import { type Breaker, createBreaker, type Purpose } from "./breaker.ts";
import { createReadLatency, type ReadLatency } from "./read-latency.ts";

/** One request to a node. Exactly one of its methods is called. */
export interface Attempt {
  /** It answered, whatever it said. True when requests go to it again from now on. */
  succeeded(): boolean;
  /** No answer, or a broken one. True when requests avoid it from now on. */
  failed(): boolean;
  /** A later copy answered first. */
  overtaken(): void;
  /** Nobody waits any more: says nothing about the node. */
  abandoned(): void;
}

export interface NodeStandings {
  /** True while the node should not be asked for that, as long as there are others. */
  isAvoided(nodeId: number, purpose: Purpose): boolean;
  beginRead(nodeId: number): Attempt;
  beginWrite(nodeId: number): Attempt;
  /** What 95 of 100 requests of the last seconds took no longer than; 0 when there were too few to tell. Those that failed count for nothing. */
  felt(): FeltLatency;
  /** How long one more read would take. 0 for a node not known: it gets its chance. */
  expectedReadMs(nodeId: number): number;
  /** After how long without an answer another copy is asked as well, if a hedge can be had. */
  hedgeAfterMs(nodeId: number): number;
  countRead(): void;
  /** True when a second request may be sent now; it is then counted. */
  takeHedge(): boolean;
}

interface Standing {
  breaker: Breaker;
  latency: ReadLatency;
}

export function createNodeStandings({ membership, clock }: { membership: Membership; clock: Clock }): NodeStandings {
  const standings = new Map<number, Standing>();
  const reads = createRecentLatency(clock);
  const writes = createRecentLatency(clock);
  let hedgesSaved: number = limits.readHedgesSavedMax;

  const of = (nodeId: number): Standing => {
    let standing = standings.get(nodeId);
    if (standing === undefined) {
      standing = { breaker: createBreaker(clock), latency: createReadLatency(clock) };
      standings.set(nodeId, standing);
    }
    return standing;
  };
  const isHeard = (nodeId: number): boolean => {
    const health = membership.node(nodeId)?.health;
    return health === "up" || health === "slow";
  };
  /** For a node not known: as patient as with the slowest of those that are. */
  const slowestHedgeMs = (): number => {
    const known = [...standings.values()].map(({ latency }) => latency.lateAfterMs()).filter((ms) => ms !== undefined);
    return known.length === 0 ? limits.readHedgeUnknownMs : Math.max(...known);
  };

  return {
    isAvoided: (nodeId, purpose) => of(nodeId).breaker.isOpen(purpose, isHeard(nodeId)),
    beginRead(nodeId) {
      const { breaker, latency } = of(nodeId);
      const startedAtMs = clock.monotonicMs();
      const tookMs = (): number => clock.monotonicMs() - startedAtMs;
      const ended = (): void => latency.ended(tookMs());
      breaker.attempted(isHeard(nodeId));
      latency.started();
      return {
        succeeded() {
          reads.add(tookMs());
          ended();
          return breaker.succeeded();
        },
        failed() {
          ended();
          return breaker.failed();
        },
        overtaken() {
          ended();
          breaker.overtaken();
        },
        abandoned: () => latency.abandoned(),
      };
    },
    beginWrite(nodeId) {
      const { breaker } = of(nodeId);
      const startedAtMs = clock.monotonicMs();
      breaker.attempted(isHeard(nodeId));
      return {
        succeeded() {
          writes.add(clock.monotonicMs() - startedAtMs);
          return breaker.succeeded();
        },
        failed: () => breaker.failed(),
        overtaken: () => breaker.overtaken(),
        abandoned: () => undefined,
      };
    },
    felt: () => ({ readMs: reads.lateMs(), writeMs: writes.lateMs() }),
    expectedReadMs: (nodeId) => of(nodeId).latency.expectedMs() ?? 0,
    hedgeAfterMs: (nodeId) => of(nodeId).latency.lateAfterMs() ?? slowestHedgeMs(),
    countRead() {
      hedgesSaved = Math.min(hedgesSaved + limits.readHedgesPerRead, limits.readHedgesSavedMax);
    },
    takeHedge() {
      if (hedgesSaved < 1) return false;
      hedgesSaved--;
      return true;
    },
  };
}
