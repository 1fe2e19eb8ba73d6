/**
 * Keeps every chunk at its wanted number of copies, as long as this process leads.
 *
 * Each step looks at what is missing, says so in the row of the repair under way, and runs one pass. A pass is called off when
 * a node comes or goes, when safemode begins, when an operator pauses it and when another controller leads. A pass that gets
 * nowhere is repeated at growing intervals, or as soon as anything changes that could help.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { WorkState } from "@holdfast/db";
import type pg from "pg";
import { type Clock, MINUTE_MS, SECOND_MS } from "../kernel/index.ts";
import type { Leadership } from "../leadership/index.ts";
import { domainsOf } from "../placement/index.ts";
import type { SafemodeReader } from "../safemode/index.ts";
import {
  finishRepair,
  type OpenRepair,
  openRepair,
  readOpenRepair,
  recordRepairBegan,
  recordRepairBlocked,
  type RepairFacts,
  saveRepair,
} from "./repair-record.ts";
import { newTally, type Refusals, type RoundParts, type RoundTally, runRound } from "./repair-round.ts";
import { PAUSED, whyBlocked, whyRepair, whyUnreadable, whyWaiting } from "./repair-words.ts";
import { type Stage, type Survey, surveyMissing } from "./survey.ts";
import type { HealingView } from "./view.ts";

export interface RepairerOptions extends Omit<RoundParts, "refusals" | "leadership"> {
  pool: pg.Pool;
  leadership: Leadership;
  safemode: SafemodeReader;
  /** The latest view; undefined until the first. */
  view: () => HealingView | undefined;
  repairAfterMs: number;
  intervalMs: number;
  clock: Clock;
}

/** How long a target that refused is not asked again. */
const REFUSAL_MS = 10 * SECOND_MS;
const REST_MAX_MS = MINUTE_MS;
/** Looking takes no more than this share of the time. */
const LOOKING_SHARE_MAX = 1 / 20;

export class Repairer {
  readonly #options: RepairerOptions;
  readonly #refusals: Refusals;
  /** Of the reign that the rest of the memory belongs to. */
  #epoch: number | undefined;
  #repair: OpenRepair | undefined;
  #savedAs = "";
  /** What its row said was done when the present pass began. */
  #before = { chunks: 0, bytes: 0 };
  #copyingSinceMs: number | undefined;
  #whyKey = "";
  #survey: { result: Survey; key: string; nextAtMs: number } | undefined;
  #rest: { key: string; untilMs: number; delayMs: number; last: number; blocked: string } | undefined;
  #tidyAtMs = 0;
  #tidyKey = "";

  constructor(options: RepairerOptions) {
    this.#options = options;
    this.#refusals = createRefusals(options.clock);
  }

  /** Resolves when the pass has ended. `signal` ends it early. */
  async step(signal: AbortSignal): Promise<void> {
    const { leadership, safemode } = this.#options;
    const view = this.#options.view();
    const epoch = leadership.epoch();
    if (epoch === undefined || view === undefined) return;
    if (epoch !== this.#epoch) await this.#beginReign(epoch);
    if (safemode.isOn()) return await this.#waitForSafemode();
    const survey = await this.#look(view);
    this.#before = { chunks: this.#repair?.chunksDone ?? 0, bytes: this.#repair?.bytesDone ?? 0 };
    await this.#tell(view, survey, { ...newTally(), failed: this.#repair?.chunksFailed ?? 0 });
    const stages = this.#stages(view, survey);
    if (stages.length > 0) await this.#pass(view, survey, stages, signal);
  }

  async #beginReign(epoch: number): Promise<void> {
    const open = await readOpenRepair(this.#options.pool);
    this.#repair = open?.repair;
    this.#copyingSinceMs = open && open.repair.bytesDone > 0 ? this.#options.clock.monotonicMs() - open.seconds * SECOND_MS : undefined;
    this.#survey = undefined;
    this.#rest = undefined;
    this.#tidyAtMs = 0;
    this.#epoch = epoch;
  }

  async #waitForSafemode(): Promise<void> {
    if (this.#repair !== undefined) await this.#save({ ...this.#repair, state: "waiting", blocked: this.#options.safemode.why() });
  }

  /** Counts anew when something changed, and otherwise as often as the size of the cluster allows. */
  async #look(view: HealingView): Promise<Survey> {
    const { pool, settleMs, intervalMs, clock } = this.#options;
    const startedAtMs = clock.monotonicMs();
    if (this.#survey?.key === view.key && startedAtMs < this.#survey.nextAtMs) return this.#survey.result;
    const result = await surveyMissing(pool, view, settleMs);
    const tookMs = clock.monotonicMs() - startedAtMs;
    this.#survey = { result, key: view.key, nextAtMs: clock.monotonicMs() + Math.max(intervalMs, tookMs / LOOKING_SHARE_MAX) };
    return result;
  }

  #stages(view: HealingView, { due, last }: Survey): Stage[] {
    const { paused } = view.orders;
    const isResting = this.#rest?.key === view.key && this.#options.clock.monotonicMs() < this.#rest.untilMs && last <= this.#rest.last;
    const lefts = due.chunks === 0 || isResting ? 0 : paused ? 1 : Math.max(view.terms.wanted - 1, 1);
    const short: Stage[] = Array.from({ length: lefts }, (_, index) => ({ left: index + 1 }));
    if (paused || !this.#isTimeToTidy(view)) return short;
    return [...short, ...(domainsOf(view.nodes).kind === "node" ? [] : (["misplaced"] as const)), "surplus"];
  }

  #isTimeToTidy(view: HealingView): boolean {
    return view.key !== this.#tidyKey || this.#options.clock.monotonicMs() >= this.#tidyAtMs;
  }

  async #pass(view: HealingView, survey: Survey, stages: readonly Stage[], signal: AbortSignal): Promise<void> {
    const { leadership, clock } = this.#options;
    const calledOff = new AbortController();
    const ended = new AbortController();
    const tally = newTally();
    const startedAtMs = clock.monotonicMs();
    if (this.#before.bytes === 0) this.#copyingSinceMs = startedAtMs;
    const watching = this.#watch(view, survey, tally, calledOff, ended.signal);
    const parts = { ...this.#options, leadership, refusals: this.#refusals };
    try {
      const orders = { view, stages, lastCopiesOnly: view.orders.paused, tally, signal: AbortSignal.any([signal, calledOff.signal]) };
      await runRound(parts, orders);
    } finally {
      ended.abort();
      await watching;
    }
    if (leadership.epoch() !== this.#epoch) return;
    if (!signal.aborted && !calledOff.signal.aborted) this.#takeStock(view, survey, stages, tally, startedAtMs);
    this.#survey = undefined;
    await this.#tell(view, await this.#look(view), tally);
  }

  /** While a pass runs: keeps its row up to date, and calls it off when it rests on what is no longer so. */
  async #watch(view: HealingView, before: Survey, tally: RoundTally, calledOff: AbortController, ended: AbortSignal): Promise<void> {
    const { leadership, safemode, intervalMs, logger } = this.#options;
    for (;;) {
      await delay(intervalMs, undefined, { signal: ended }).catch(() => undefined);
      if (ended.aborted) return;
      if (leadership.epoch() !== this.#epoch || safemode.isOn() || this.#options.view()?.key !== view.key) return calledOff.abort();
      try {
        const survey = await this.#look(view);
        if (survey.last > before.last) return calledOff.abort();
        await this.#tell(view, survey, tally);
      } catch (error) {
        logger.warn({ err: error }, "the progress of a repair could not be noted");
        return calledOff.abort();
      }
    }
  }

  /** A whole pass is over: what it could not do is not tried again at once. */
  #takeStock(view: HealingView, { due, last }: Survey, stages: readonly Stage[], tally: RoundTally, startedAtMs: number): void {
    const { clock, intervalMs } = this.#options;
    const nowMs = clock.monotonicMs();
    const idleMs = Math.max(10 * intervalMs, (nowMs - startedAtMs) / LOOKING_SHARE_MAX);
    if (stages.includes("surplus")) {
      this.#tidyKey = view.key;
      this.#tidyAtMs = tally.dropped > 0 ? nowMs : nowMs + idleMs;
    }
    if (due.chunks === 0 || tally.bytes > 0) this.#rest = undefined;
    else if (stages.some((stage) => typeof stage === "object")) {
      const delayMs = Math.min(2 * (this.#rest?.key === view.key ? this.#rest.delayMs : intervalMs), REST_MAX_MS);
      this.#rest = { key: view.key, untilMs: nowMs + delayMs, delayMs, last, blocked: whyBlocked(tally) };
    }
  }

  /** Brings the row of the repair under way in line with what is missing: opens it, goes on with it, or closes it. */
  async #tell(view: HealingView, survey: Survey, tally: RoundTally): Promise<void> {
    const { due, awaited, unreadable } = survey;
    const done = { chunks: this.#before.chunks + tally.chunks, bytes: this.#before.bytes + tally.bytes };
    const missing = due.chunks + awaited.chunks + unreadable;
    if (missing === 0) return await this.#finish(view, done);
    const { state, blocked } = this.#stateOf(view, survey);
    const isNewCause = this.#repair === undefined || (this.#whyKey !== view.key && this.#whyKey !== "");
    this.#whyKey = view.key;
    await this.#save({
      state,
      blocked,
      why: isNewCause ? whyRepair(survey, view) : this.#repair!.why,
      chunksTotal: done.chunks + missing,
      chunksDone: done.chunks,
      chunksFailed: tally.failed,
      bytesTotal: done.bytes + due.bytes + awaited.bytes,
      bytesDone: done.bytes,
      bytesPerSecond: state === "running" ? this.#options.engine.rate() : 0,
    });
  }

  #stateOf(view: HealingView, { due, awaited, unreadable }: Survey): { state: WorkState; blocked: string } {
    if (view.orders.paused) return { state: "paused", blocked: PAUSED };
    const blocked = this.#rest?.key === view.key ? this.#rest.blocked : "";
    if (due.chunks > 0) return { state: blocked === "" ? "running" : "blocked", blocked };
    if (awaited.chunks > 0) return { state: "waiting", blocked: whyWaiting(view, this.#options.repairAfterMs) };
    return { state: "blocked", blocked: whyUnreadable(unreadable) };
  }

  async #save(facts: RepairFacts): Promise<void> {
    const saved = JSON.stringify(facts);
    if (this.#repair !== undefined && saved === this.#savedAs) return;
    const before = this.#repair;
    this.#repair = await this.#options.leadership.fenced(async (tx) => {
      const repair = before === undefined ? await openRepair(tx, facts) : { ...facts, id: before.id };
      if (before !== undefined) await saveRepair(tx, repair);
      if ((before?.bytesDone ?? 0) === 0 && facts.bytesDone > 0) await recordRepairBegan(tx, facts);
      if (facts.state === "blocked" && before?.state !== "blocked") await recordRepairBlocked(tx, facts);
      return repair;
    });
    this.#savedAs = saved;
  }

  async #finish(view: HealingView, done: { chunks: number; bytes: number }): Promise<void> {
    const before = this.#repair;
    if (before === undefined) return;
    const { leadership, clock } = this.#options;
    const seconds = (clock.monotonicMs() - (this.#copyingSinceMs ?? clock.monotonicMs())) / SECOND_MS;
    await leadership.fenced(async (tx) => {
      if (before.bytesDone === 0 && done.bytes > 0) await recordRepairBegan(tx, before);
      await finishRepair(tx, { ...before, chunksDone: done.chunks, bytesDone: done.bytes }, view.terms.wanted, seconds);
    });
    this.#repair = undefined;
    this.#copyingSinceMs = undefined;
  }
}

function createRefusals(clock: Clock): Refusals {
  const untilMs = new Map<number, number>();
  return {
    add: (nodeId) => void untilMs.set(nodeId, clock.monotonicMs() + REFUSAL_MS),
    current: () => new Set([...untilMs].filter(([, until]) => clock.monotonicMs() < until).map(([nodeId]) => nodeId)),
  };
}
