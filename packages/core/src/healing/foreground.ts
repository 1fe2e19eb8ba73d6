import type { NodeSnapshot } from "../membership/index.ts";

/** For four megabytes that is quick: what was quicker in quiet is held to no more. */
const QUICK_MS = 25;
/** How much of a quiet reading goes into what counts as quiet. */
const LEARNING = 0.2;

/**
 * How much slower users' reads and writes are than when nothing heals.
 *
 * What is quiet is learnt per node while no copies are made. A node's reads are its users' and those of nodes that fetch
 * copies from it alike, so reads count only where users read before healing began.
 */
export class ForegroundWatch {
  readonly #quietMs = new Map<string, number>();

  /** The worst ratio of any node to its own quiet; 1 when nobody suffers, or nobody is there to suffer. */
  worstSlowdown(nodes: readonly NodeSnapshot[], isHealing: boolean): number {
    const ratios = nodes.flatMap(({ id, health, writeLatencyMs, readLatencyMs }) =>
      health === "down"
        ? []
        : [this.#slowdown(`write ${id}`, writeLatencyMs, isHealing, true), this.#slowdown(`read ${id}`, readLatencyMs, isHealing, false)],
    );
    return Math.max(1, ...ratios);
  }

  #slowdown(key: string, latencyMs: number, isHealing: boolean, learnsWhileHealing: boolean): number {
    const quietMs = this.#quietMs.get(key);
    if (!isHealing) this.#learn(key, latencyMs);
    else if (quietMs === undefined ? learnsWhileHealing && latencyMs > 0 : latencyMs > 0 && latencyMs < quietMs)
      this.#quietMs.set(key, latencyMs);
    return isHealing && quietMs !== undefined ? latencyMs / Math.max(quietMs, QUICK_MS) : 1;
  }

  #learn(key: string, latencyMs: number): void {
    const quietMs = this.#quietMs.get(key) ?? latencyMs;
    if (latencyMs === 0) this.#quietMs.delete(key);
    else this.#quietMs.set(key, quietMs + LEARNING * (latencyMs - quietMs));
  }
}
