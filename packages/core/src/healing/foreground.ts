import type { GatewayFelt } from "../foreground/index.ts";

/** For what nearly all requests take that is quick: what was quicker in quiet is held to no more. */
const QUICK_MS = 10;
/** How much of a quiet reading goes into what counts as quiet. */
const LEARNING = 0.2;

/** How much slower users' reads and writes are than when nothing heals. What is quiet is learnt per gateway while no copies are made. */
export class ForegroundWatch {
  readonly #quietMs = new Map<string, number>();

  /** The worst ratio of any gateway to its own quiet; undefined when there are no users. */
  worstSlowdown(gateways: readonly GatewayFelt[], isHealing: boolean): number | undefined {
    const felt = gateways.flatMap(({ gatewayId, readMs, writeMs }) => [
      { key: `read ${gatewayId}`, ms: readMs },
      { key: `write ${gatewayId}`, ms: writeMs },
    ]);
    const ratios = felt.filter(({ ms }) => ms > 0).map(({ key, ms }) => this.#slowdown(key, ms, isHealing));
    return ratios.length === 0 ? undefined : Math.max(...ratios);
  }

  #slowdown(key: string, ms: number, isHealing: boolean): number {
    const before = this.#quietMs.get(key) ?? ms;
    const quietMs = isHealing ? Math.min(before, ms) : before + LEARNING * (ms - before);
    this.#quietMs.set(key, quietMs);
    return ms / Math.max(quietMs, QUICK_MS);
  }
}
