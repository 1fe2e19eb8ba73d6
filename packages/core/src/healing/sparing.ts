/**
 * How fast healing may go for users' sake.
 *
 * It begins modestly, doubles while users do not suffer, and is cut as soon as they do. What a cut brings is felt only after
 * a few seconds, because what users feel is measured over as many; until then there is no second one. After a cut it returns
 * at once to shortly below where they suffered, and goes on from there gently: whoever found the limit once should come near
 * it and stay, and a hiccup that was not healing's doing should cost seconds. Where it is next to nothing and users suffer
 * all the same, that is what quiet means from then on.
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
const GROWTH = 2;
const GROWTH_NEAR_SUFFERING = 1.1;
/** Near is from this share of the rate at which users suffered. */
const NEAR = 0.8;
/** It grows no further while less than this share of it is made use of. */
const USED = 0.75;
/** A cut goes a little further than it seems to need, and never further than this. */
const CUT_BEYOND = 0.9;
const CUT_MAX = 0.25;

/** What is being copied. */
export interface Copying {
  /** Anything at all, in the last seconds. */
  isUnderWay: boolean;
  /** Bytes a second, as lately as can be told. */
  rate: number;
}

export class Sparing {
  readonly #clock: Clock;
  readonly #foreground = new ForegroundWatch();
  #limit: number | undefined;
  #cutAtMs: number | undefined;
  /** The rate at which users suffered last. */
  #sufferedAt: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Bytes a second; undefined when there is nobody to spare. */
  limit(): number | undefined {
    return this.#limit;
  }

  /** To be called about once a second. */
  observe(gateways: readonly GatewayFelt[], { isUnderWay, rate }: Copying): void {
    const slowdown = this.#foreground.worstSlowdown(gateways, !isUnderWay || this.#isNextToNothing());
    if (slowdown === undefined || !isUnderWay) this.#begin(slowdown !== undefined);
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
    this.#sufferedAt = undefined;
  }

  #cut(rate: number, slowdown: number): void {
    if (rate === 0 || !this.#isCutFelt() || this.#isNextToNothing()) return;
    const factor = Math.max(CUT_MAX, (CUT_BEYOND * SLOWDOWN_MAX) / slowdown);
    this.#sufferedAt = Math.min(rate, this.#limit ?? rate);
    this.#limit = Math.max(limits.healingBytesPerSecondMin, this.#sufferedAt * factor);
    this.#cutAtMs = this.#clock.monotonicMs();
  }

  /** Beyond what it knows, no faster than it makes use of it. */
  #grow(rate: number): void {
    this.#limit ??= limits.healingBytesPerSecondStart;
    const near = NEAR * (this.#sufferedAt ?? 0);
    if (this.#limit < near) this.#limit = Math.min(this.#limit * GROWTH, near);
    else if (rate >= USED * this.#limit) this.#limit *= near === 0 ? GROWTH : GROWTH_NEAR_SUFFERING;
  }
}
