/** Makes the planned faults happen, each in its turn, and the next one when what its lane strikes is serving again. */
import { setTimeout as delay } from "node:timers/promises";
import type { Ledger } from "../ledger.ts";
import type { Measurements } from "../measurements.ts";
import type { Random } from "../random.ts";
import { describeFault, type FaultKind, type PlannedFault, type Schedule } from "../schedule.ts";
import type { Effect } from "./effects.ts";
import { Skipped } from "./patience.ts";
import { untilServing, type Victim, type Victims } from "./victims.ts";

/** So many at once at most, of what can strike many things at once. */
const BURST_MAX = 16;
/** A lane that gets nothing done any more would go on for ever. */
const SKIPPED_IN_A_ROW_MAX = 20;

export interface InjectorParts {
  effects: Record<FaultKind, Effect>;
  victims: Victims;
  random: Random;
  ledger: Ledger;
  measurements: Measurements;
  say: (line: string) => void;
}

export class Injector {
  readonly counts = new Map<FaultKind, number>();
  readonly skipped: string[] = [];
  readonly #parts: InjectorParts;

  constructor(parts: InjectorParts) {
    this.#parts = parts;
  }

  /** Until so many faults have been done, or until `signal`; each fault under way ends as planned. Rejects only when the harness itself is at fault. */
  async run(schedule: Schedule, count: number, signal: AbortSignal): Promise<void> {
    const { nodes, gateway, controllers, postgres } = this.#parts.victims;
    await Promise.all([
      this.#runLane(schedule.nodes, nodes, count, signal),
      this.#runLane(schedule.services, [gateway, ...controllers, postgres], count, signal),
    ]);
  }

  get done(): number {
    return [...this.counts.values()].reduce((sum, count) => sum + count, 0);
  }

  async #runLane(lane: Iterable<PlannedFault>, struck: readonly Victim[], count: number, signal: AbortSignal): Promise<void> {
    let skippedInARow = 0;
    for (const fault of lane) {
      await delay(fault.pauseMs, undefined, { signal }).catch(() => undefined);
      const left = count - this.done;
      if (signal.aborted || left <= 0 || skippedInARow === SKIPPED_IN_A_ROW_MAX) return;
      skippedInARow = (await this.#inject(fault, left)) ? 0 : skippedInARow + 1;
      await untilServing(struck);
    }
  }

  async #inject(fault: PlannedFault, left: number): Promise<boolean> {
    const { effects, ledger, measurements, random, say } = this.#parts;
    const { kind, node: index = 0, forMs } = fault;
    const end = measurements.beginFault();
    ledger.note({ fault: describeFault(fault) });
    try {
      const count = (await effects[kind]({ index, forMs, most: Math.min(left, random.integer(1, BURST_MAX)) })) ?? 1;
      this.counts.set(kind, (this.counts.get(kind) ?? 0) + count);
      say(`did ${describeFault(fault)}${count > 1 ? `, ${count} times` : ""}`);
      return true;
    } catch (error) {
      if (!(error instanceof Skipped)) throw error;
      this.skipped.push(`${describeFault(fault)}: ${error.message}`);
      return false;
    } finally {
      end();
    }
  }
}
