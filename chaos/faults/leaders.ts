/** The lead taken from the console that has it, while another one is there to take it over. */
import { setTimeout as delay } from "node:timers/promises";
import type { Database } from "@holdfast/db";
import { patiently, Skipped } from "./patience.ts";
import { freeze } from "./processes.ts";
import { killServing, untilServing, type Victim } from "./victims.ts";

const PATIENCE_MS = 30_000;

export interface LeadersParts {
  database: Pick<Database, "pool">;
  controllers: readonly Victim[];
  /** A promise was broken. */
  violate: (line: string) => void;
}

interface Lead {
  victim: Victim;
  epoch: number;
}

export class Leaders {
  readonly #parts: LeadersParts;

  constructor(parts: LeadersParts) {
    this.#parts = parts;
  }

  async kill(): Promise<void> {
    const { victim, epoch } = await this.#lead();
    await killServing(victim);
    await this.#requireSuccessor(victim, epoch);
  }

  /** Wakes up when another leads already: for a moment two of them think that they do. */
  async stop(forMs: number): Promise<void> {
    const { victim, epoch } = await this.#lead();
    await untilServing(this.#parts.controllers);
    const thaw = await freeze(victim);
    await this.#requireSuccessor(victim, epoch);
    await delay(forMs);
    thaw();
  }

  async #lead(): Promise<Lead> {
    let lead: Lead | undefined;
    await patiently(async () => {
      const { rows } = await this.#parts.database.pool.query<{ epoch: number; holder: string }>(
        "SELECT epoch, holder_name AS holder FROM lease WHERE expires_at > clock_timestamp()",
      );
      const victim = this.#parts.controllers.find(({ pid }) => rows[0]?.holder.endsWith(`(process ${pid})`));
      lead = victim && { victim, epoch: rows[0]!.epoch };
      return lead !== undefined;
    }, PATIENCE_MS);
    if (lead === undefined) throw new Skipped("no console led");
    return lead;
  }

  async #requireSuccessor({ name }: Victim, epoch: number): Promise<void> {
    const isSucceeded = async (): Promise<boolean> => (await this.#lead()).epoch > epoch;
    if (await patiently(isSucceeded, PATIENCE_MS)) return;
    this.#parts.violate(`nobody led within ${PATIENCE_MS / 1_000} s after ${name} was gone`);
  }
}
