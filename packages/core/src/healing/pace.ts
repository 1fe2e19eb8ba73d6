/**
 * How fast copies are made: no faster than an operator allows, slower while users' own reads and writes suffer, never at a
 * standstill unless an operator says so, and without any limit where one copy is left.
 */
import { setTimeout as delay } from "node:timers/promises";
import { type Clock, limits } from "../kernel/index.ts";
import type { NodeSnapshot } from "../membership/index.ts";
import { ForegroundWatch } from "./foreground.ts";

export interface PaceOrders {
  /** Null: only the foreground slows healing down. */
  bytesPerSecondMax: number | null;
  paused: boolean;
}

export interface Pace {
  /** What the operator wants from now on. */
  order(orders: PaceOrders): void;
  /** What the nodes last said of their latencies; to be called about once a second. */
  observe(nodes: readonly NodeSnapshot[]): void;
  /** Waits until a copy of so many bytes may begin. `urgent` ones always may. Rejects with the signal's reason. */
  pass(bytes: number, options: { urgent: boolean; signal: AbortSignal }): Promise<void>;
  /** Tells of a copy that was made. */
  copied(bytes: number): void;
  /** Bytes a second, over the last seconds. */
  rate(): number;
  /** Bytes a second that may be copied now; undefined when nothing limits it. */
  limit(): number | undefined;
}

const RATE_WINDOW_MS = 10_000;
const LOOK_AGAIN_MS = 50;
/** From here on users suffer. */
const SLOWDOWN_MAX = 2;

export function createPace(clock: Clock): Pace {
  const foreground = new ForegroundWatch();
  const copies: { atMs: number; bytes: number }[] = [];
  let orders: PaceOrders = { bytesPerSecondMax: null, paused: false };
  let sparing: number | undefined;
  let fastest = 0;
  let debt = 0;
  let paidAtMs = clock.monotonicMs();

  const rate = (): number => {
    const sinceMs = clock.monotonicMs() - RATE_WINDOW_MS;
    while (copies.length > 0 && copies[0]!.atMs < sinceMs) copies.shift();
    const bytes = copies.reduce((sum, copy) => sum + copy.bytes, 0);
    const spanMs = clock.monotonicMs() - (copies[0]?.atMs ?? 0);
    return copies.length < 2 ? bytes / (RATE_WINDOW_MS / 1_000) : bytes / (Math.max(spanMs, 500) / 1_000);
  };
  const limit = (): number | undefined => {
    const wanted = [orders.bytesPerSecondMax ?? undefined, sparing].filter((value) => value !== undefined);
    return wanted.length === 0 ? undefined : Math.min(...wanted);
  };
  /** A debt at the present limit: a limit that changes applies at once to whoever waits. */
  const mayBegin = (bytes: number): boolean => {
    const nowMs = clock.monotonicMs();
    const bytesPerSecond = limit();
    debt = bytesPerSecond === undefined ? 0 : Math.max(0, debt - (bytesPerSecond * (nowMs - paidAtMs)) / 1_000);
    paidAtMs = nowMs;
    if (orders.paused || debt > 0) return false;
    debt = bytes;
    return true;
  };

  return {
    order: (next) => void (orders = next),
    observe(nodes) {
      const measured = rate();
      const slowdown = foreground.worstSlowdown(nodes, measured > 0);
      fastest = measured === 0 ? 0 : Math.max(fastest, measured);
      sparing = slowdown < SLOWDOWN_MAX ? undefined : Math.max(limits.healingBytesPerSecondMin, fastest * (SLOWDOWN_MAX / slowdown) ** 2);
    },
    async pass(bytes, { urgent, signal }) {
      signal.throwIfAborted();
      if (urgent) return;
      while (!mayBegin(bytes)) await delay(LOOK_AGAIN_MS, undefined, { signal });
    },
    copied: (bytes) => void copies.push({ atMs: clock.monotonicMs(), bytes }),
    rate,
    limit,
  };
}
