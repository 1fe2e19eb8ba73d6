import { limits } from "../kernel/index.ts";
import type { NodeSnapshot } from "../membership/index.ts";

/** What a copy needs to know of its task to find its place. */
interface Applicant {
  /** At least one. */
  from: readonly NodeSnapshot[];
  to: NodeSnapshot;
  copiesLeft: number;
}

interface Waiting {
  applicant: Applicant;
  admitted: (slot: Slot) => void;
}

export interface Slot {
  /** The sources, the one with least to do first among those that are equally well. */
  from: readonly NodeSnapshot[];
  release(): void;
}

/**
 * Copies under way, counted by source and by target: many nodes copy to many, and none is overrun. Whoever has fewest
 * copies left comes first.
 */
export class CopySlots {
  readonly #bySource = new Map<number, number>();
  readonly #byTarget = new Map<number, number>();
  #waiting: Waiting[] = [];

  /** Rejects with the signal's reason. */
  async take(applicant: Applicant, signal: AbortSignal): Promise<Slot> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<Slot>();
    const waiting = { applicant, admitted: resolve };
    const leave = (): void => {
      this.#waiting = this.#waiting.filter((other) => other !== waiting);
      reject(signal.reason as Error);
    };
    signal.addEventListener("abort", leave, { once: true });
    const behind = this.#waiting.findIndex((other) => other.applicant.copiesLeft > applicant.copiesLeft);
    this.#waiting.splice(behind === -1 ? this.#waiting.length : behind, 0, waiting);
    this.#admit();
    try {
      return await promise;
    } finally {
      signal.removeEventListener("abort", leave);
    }
  }

  #admit(): void {
    this.#waiting = this.#waiting.filter(({ applicant, admitted }) => {
      const slot = this.#slotFor(applicant);
      if (slot !== undefined) admitted(slot);
      return slot === undefined;
    });
  }

  #slotFor({ from, to }: Applicant): Slot | undefined {
    if (countOf(this.#byTarget, to.id) >= limits.healingCopiesPerNode) return undefined;
    const sources = from.toSorted((a, b) => Number(a.health !== "up") - Number(b.health !== "up") || this.#load(a) - this.#load(b));
    const first = sources[0]!;
    if (this.#load(first) >= limits.healingCopiesPerNode) return undefined;
    const count = (by: number): void => {
      this.#bySource.set(first.id, this.#load(first) + by);
      this.#byTarget.set(to.id, countOf(this.#byTarget, to.id) + by);
    };
    count(1);
    return {
      from: sources,
      release: () => {
        count(-1);
        this.#admit();
      },
    };
  }

  #load({ id }: NodeSnapshot): number {
    return countOf(this.#bySource, id);
  }
}

function countOf<K>(counts: ReadonlyMap<K, number>, key: K): number {
  return counts.get(key) ?? 0;
}
