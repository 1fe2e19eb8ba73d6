/**
 * How fast copies are made: no faster than an operator allows, slower while users' own reads and writes suffer, never at a
 * standstill unless an operator says so, and without any limit where one copy is left. Whoever came first goes first.
 */
import type { GatewayFelt } from "../foreground/index.ts";
import { type Clock, SECOND_MS } from "../kernel/index.ts";
import { Sparing } from "./sparing.ts";

export interface PaceOrders {
  /** Null: only the foreground slows healing down. */
  bytesPerSecondMax: number | null;
  paused: boolean;
}

export interface Pace {
  /** What the operator wants from now on. */
  order(orders: PaceOrders): void;
  /** What users feel, as their gateways last said; to be called about once a second. */
  observe(gateways: readonly GatewayFelt[]): void;
  /** Waits until a copy of so many bytes may begin. `urgent` ones always may. Rejects with the signal's reason. */
  pass(bytes: number, options: { urgent: boolean; signal: AbortSignal }): Promise<void>;
  /** Tells of a copy that was made. */
  copied(bytes: number): void;
  /** Bytes a second, over the last seconds. */
  rate(): number;
  /** Bytes a second that may be copied now; undefined when nothing limits it. */
  limit(): number | undefined;
}

const RATE_WINDOW_MS = 5 * SECOND_MS;
/** What changed a moment ago must show: a cut is made from the rate of now. */
const RATE_NOW_WINDOW_MS = 2 * SECOND_MS;
const RATE_SPAN_MIN_MS = 500;
const LOOK_AGAIN_MS = 10;
/** A look that comes late may make up for so much. */
const CREDIT_MS = 50;

export function createPace(clock: Clock): Pace {
  const sparing = new Sparing(clock);
  const copies: { atMs: number; bytes: number }[] = [];
  let orders: PaceOrders = { bytesPerSecondMax: null, paused: false };
  let waiting: { bytes: number; go: () => void }[] = [];
  let timer: NodeJS.Timeout | undefined;
  let debt = 0;
  let paidAtMs = clock.monotonicMs();

  const rateOver = (windowMs: number): number => {
    const nowMs = clock.monotonicMs();
    while (copies.length > 0 && copies[0]!.atMs < nowMs - RATE_WINDOW_MS) copies.shift();
    const recent = copies.filter(({ atMs }) => atMs >= nowMs - windowMs);
    const bytes = recent.reduce((sum, copy) => sum + copy.bytes, 0);
    const spanMs = recent.length < 2 ? windowMs : Math.max(nowMs - recent[0]!.atMs, RATE_SPAN_MIN_MS);
    return (bytes * SECOND_MS) / spanMs;
  };
  const rate = (): number => rateOver(RATE_WINDOW_MS);
  const limit = (): number | undefined => {
    const wanted = [orders.bytesPerSecondMax ?? undefined, sparing.limit()].filter((value) => value !== undefined);
    return wanted.length === 0 ? undefined : Math.min(...wanted);
  };
  /** At the present limit: one that changes applies at once to whoever waits. */
  const payDebt = (): void => {
    const nowMs = clock.monotonicMs();
    const bytesPerMs = (limit() ?? 0) / SECOND_MS;
    debt = limit() === undefined ? 0 : Math.max(-bytesPerMs * CREDIT_MS, debt - bytesPerMs * (nowMs - paidAtMs));
    paidAtMs = nowMs;
  };
  const admit = (): void => {
    clearTimeout(timer);
    timer = undefined;
    payDebt();
    while (waiting.length > 0 && !orders.paused && debt <= 0) {
      const { bytes, go } = waiting.shift()!;
      if (limit() !== undefined) debt += bytes;
      go();
    }
    if (waiting.length > 0) timer = setTimeout(admit, LOOK_AGAIN_MS);
  };

  return {
    order: (next) => void (orders = next),
    observe: (gateways) => sparing.observe(gateways, { isUnderWay: rate() > 0, rate: rateOver(RATE_NOW_WINDOW_MS) }),
    pass(bytes, { urgent, signal }) {
      return new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason as Error);
        if (urgent) return resolve();
        const leave = (): void => {
          waiting = waiting.filter((other) => other !== entry);
          reject(signal.reason as Error);
        };
        const entry = { bytes, go: () => (signal.removeEventListener("abort", leave), resolve()) };
        signal.addEventListener("abort", leave, { once: true });
        waiting.push(entry);
        admit();
      });
    },
    copied: (bytes) => void copies.push({ atMs: clock.monotonicMs(), bytes }),
    rate,
    limit,
  };
}
