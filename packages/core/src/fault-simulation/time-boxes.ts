import { type Clock, SECOND_MS, systemClock } from "../kernel/index.ts";

export interface TimeBoxesOptions<Fault> {
  onEnded?: (fault: Fault) => void;
  /** What should have ended by itself did not. */
  onError: (error: unknown) => void;
  clock?: Clock;
}

interface TimeBox<Fault> {
  fault: Fault;
  until: Date;
  end(): Promise<void>;
}

/** What is on for a while: each ends by itself, or earlier when asked to; at most one for each key. */
export class TimeBoxes<Key, Fault extends { seconds: number }> {
  readonly #options: TimeBoxesOptions<Fault>;
  readonly #boxes = new Map<Key, TimeBox<Fault>>();

  constructor(options: TimeBoxesOptions<Fault>) {
    this.#options = options;
  }

  has(key: Key): boolean {
    return this.#boxes.has(key);
  }

  active(): { key: Key; fault: Fault; until: Date }[] {
    return [...this.#boxes].map(([key, { fault, until }]) => ({ key, fault, until }));
  }

  /** The key must be free. `undo` is called exactly once. */
  begin(key: Key, fault: Fault, undo: () => Promise<void>): void {
    if (this.#boxes.has(key)) throw new Error(`${String(key)} is taken`);
    const { clock = systemClock, onEnded, onError } = this.#options;
    const durationMs = fault.seconds * SECOND_MS;
    const end = async (): Promise<void> => {
      if (!this.#boxes.delete(key)) return;
      clearTimeout(timer);
      await undo();
      onEnded?.(fault);
    };
    const timer = setTimeout(() => void end().catch(onError), durationMs);
    this.#boxes.set(key, { fault, until: new Date(clock.now().getTime() + durationMs), end });
  }

  /** Nothing where nothing is on. */
  async end(key: Key): Promise<void> {
    await this.#boxes.get(key)?.end();
  }

  async endAll(): Promise<void> {
    await Promise.all([...this.#boxes.values()].map((box) => box.end()));
  }
}
