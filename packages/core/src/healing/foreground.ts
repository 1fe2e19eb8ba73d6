import type { GatewayFelt } from "../foreground/index.ts";

/**
 * For what nearly all requests to a node take that is quick: what was quicker in quiet is held to no more. What a user asks
 * for takes several times as long whatever heals, by the network, the database and its own bytes.
 */
const QUICK_MS = 15;
/** How much of a reading goes into what counts as quiet. */
const LEARNING = 0.2;
/** Likewise of one that is better than in quiet, though something heals. */
const LEARNING_BETTER = 0.05;

/**
 * How much slower users' reads and writes are than in quiet, which is learnt per gateway.
 *
 * Quiet is while next to nothing is copied: what users suffer even then is not healing's doing, and to spare them it would
 * only leave chunks short of copies for longer.
 */
export class ForegroundWatch {
  readonly #quietMs = new Map<string, number>();

  /** The worst ratio of any gateway to its own quiet; undefined when there are no users. */
  worstSlowdown(gateways: readonly GatewayFelt[], isQuiet: boolean): number | undefined {
    const felt = gateways.flatMap(({ gatewayId, readMs, writeMs }) => [
      { key: `read ${gatewayId}`, ms: readMs },
      { key: `write ${gatewayId}`, ms: writeMs },
    ]);
    const ratios = felt.filter(({ ms }) => ms > 0).map(({ key, ms }) => this.#slowdown(key, ms, isQuiet));
    return ratios.length === 0 ? undefined : Math.max(...ratios);
  }

  #slowdown(key: string, ms: number, isQuiet: boolean): number {
    const before = this.#quietMs.get(key) ?? ms;
    const learning = isQuiet ? LEARNING : ms < before ? LEARNING_BETTER : 0;
    const quietMs = before + learning * (ms - before);
    this.#quietMs.set(key, quietMs);
    return ms / Math.max(quietMs, QUICK_MS);
  }
}
