/**
 * What was asked for and what was answered, one JSON line each, durable before the next step: the oracle's memory.
 *
 * It lies on a disk that no fault touches. An operation whose answer was lost has a line that says it began and one that
 * says `unknown`; whatever the cluster shows of it later must be the whole of it or nothing.
 */
import { closeSync, constants, openSync, writeSync } from "node:fs";

/** `unknown`: the answer was lost, or said that nobody knows. */
export type Outcome = "acked" | "failed" | "unknown";

export interface Operation {
  kind: string;
  /** Name of the file or folder it is about. */
  file: string;
  /** What it wants to be true afterwards: a hash, a name, a place. */
  wants?: Readonly<Record<string, string | number>>;
}

export class Ledger {
  readonly path: string;
  readonly counts: Record<Outcome, number> = { acked: 0, failed: 0, unknown: 0 };
  readonly #fd: number;
  #number = 0;

  constructor(path: string) {
    this.path = path;
    this.#fd = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_APPEND | constants.O_DSYNC, 0o600);
  }

  /** Before the request is sent. Returns what `end` wants to have back. */
  begin(operation: Operation): number {
    this.#number += 1;
    this.#write({ number: this.#number, ...operation });
    return this.#number;
  }

  end(number: number, outcome: Outcome, why?: string): void {
    this.counts[outcome] += 1;
    this.#write({ number, outcome, why });
  }

  /** A line of the run itself: a fault, a violation. */
  note(line: Readonly<Record<string, unknown>>): void {
    this.#write(line);
  }

  close(): void {
    closeSync(this.#fd);
  }

  #write(line: object): void {
    writeSync(this.#fd, `${JSON.stringify({ at: new Date(), ...line })}\n`);
  }
}
