/**
 * How fast healing may go for users' sake.
 *
 * It begins modestly, grows while users do not suffer, and is cut as soon as they do. What a cut brings is felt only after
 * a few seconds, because what users feel is measured over as many; until then there is no second one. After a cut it grows
 * gently: whoever found the limit once should come near it and stay. Where it is next to nothing and users suffer all the
 * same, that is what quiet means from then on.
 */
import type { GatewayFelt } from "../foreground/index.ts";
import { type Clock, limits, SECOND_MS } from "../kernel/index.ts";
import { ForegroundWatch } from "./foreground.ts";

/** From here on users suffer. */
const SLOWDOWN_MAX = 2;
/** Up to here healing may go faster. */
const SLOWDOWN_FINE = 1.5;
/** Up to here it is next to nothing that is copied. */
const QUIET_BYTES_PER_SECOND = 2 * limits.healingBytesPerSecondMin;
const FELT_AFTER_MS = 5 * SECOND_MS;
const GROWTH_AT_FIRST = 1.5;
const GROWTH_AFTER_CUT = 1.25;
/** A cut goes a little further than it seems to need, and never further than this. */
const CUT_BEYOND = 0.9;
const CUT_MAX = 0.25;

export class Sparing {
  readonly #clock: Clock;
  readonly #foreground = new ForegroundWatch();
  #limit: number | undefined;
  #cutAtMs: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Bytes a second; undefined when there is nobody to spare. */
  limit(): number | undefined {
    return this.#limit;
  }

  /** To be called about once a second; `rate` is what is being copied, in bytes a second. */
  observe(gateways: readonly GatewayFelt[], rate: number): void {
    const slowdown = this.#foreground.worstSlowdown(gateways, rate === 0 || this.#isNextToNothing());
    if (slowdown === undefined || rate === 0) this.#begin(slowdown !== undefined);
    else if (slowdown > SLOWDOWN_MAX) this.#cut(rate, slowdown);
    else if (slowdown < SLOWDOWN_FINE) this.#grow(rate);
  }

  #isNextToNothing(): boolean {
    return this.#limit !== undefined && this.#limit <= QUIET_BYTES_PER_SECOND && this.#isCutFelt();
  }

  #isCutFelt(): boolean {
    return this.#cutAtMs === undefined || this.#clock.monotonicMs() - this.#cutAtMs >= FELT_AFTER_MS;
  }

  #begin(hasUsers: boolean): void {
    this.#limit = hasUsers ? limits.healingBytesPerSecondStart : undefined;
    this.#cutAtMs = undefined;
  }

  #cut(rate: number, slowdown: number): void {
    if (!this.#isCutFelt() || this.#isNextToNothing()) return;
    const factor = Math.max(CUT_MAX, (CUT_BEYOND * SLOWDOWN_MAX) / slowdown);
    this.#limit = Math.max(limits.healingBytesPerSecondMin, Math.min(rate, this.#limit ?? rate) * factor);
    this.#cutAtMs = this.#clock.monotonicMs();
  }

  /** Not beyond what it makes use of. */
  #grow(rate: number): void {
    this.#limit ??= limits.healingBytesPerSecondStart;
    if (rate > this.#limit / 2) this.#limit *= this.#cutAtMs === undefined ? GROWTH_AT_FIRST : GROWTH_AFTER_CUT;
  }
}
