import type { StoredChunk } from "./store-chunk.ts";

export interface CommitLineOptions {
  /** Commits nothing until `open` is called. */
  held: boolean;
  /** From one commit to the next, unless somebody waits for the last one. */
  intervalMs: number;
  commit: (chunks: readonly StoredChunk[]) => Promise<void>;
  onFailure: () => void;
}

/**
 * Brings the chunks of one body back into their order: they are stored several at a time, and committed from the front,
 * all that are ready at once. After a failure only what lies before it is committed.
 *
 * A fast client has the next chunk ready while one is being committed, and a transaction for each costs the database more than
 * the chunks do. So a commit rests a little until the next: all it adds is to what a gateway that
 * dies takes along, for whoever asks for the offset ends the body first.
 */
export class CommitLine {
  readonly #options: CommitLineOptions;
  readonly #line: { chunk?: StoredChunk }[] = [];
  #storing = 0;
  #committing = false;
  #held: boolean;
  #failure: { error: unknown } | undefined;
  #waiting: (() => void)[] = [];
  #rest: Promise<void> | undefined;
  #endRest: () => void = () => undefined;
  /** Somebody waits until all is committed. */
  #awaited = false;

  constructor(options: CommitLineOptions) {
    this.#options = options;
    this.#held = options.held;
  }

  add(storing: Promise<StoredChunk>): void {
    const place = {};
    this.#line.push(place);
    this.#storing++;
    void this.#settle(place, storing);
  }

  /** Waits until fewer than `max` chunks are being stored. */
  async room(max: number): Promise<void> {
    await this.#until(() => this.#storing < max);
  }

  /** Waits until every chunk is stored. Rejects with the first failure. */
  async stored(): Promise<void> {
    await this.#until(() => this.#storing === 0);
    this.#throwFailure();
  }

  open(): void {
    this.#held = false;
    void this.#advance();
  }

  /** Waits until all that can be committed is. Rejects with the first failure. */
  async committed(): Promise<void> {
    this.#awaited = true;
    this.#endRest();
    await this.#until(() => this.#storing === 0 && !this.#committing);
    this.#throwFailure();
  }

  async #settle(place: { chunk?: StoredChunk }, storing: Promise<StoredChunk>): Promise<void> {
    try {
      place.chunk = await storing;
    } catch (error) {
      this.#fail(error);
    }
    this.#storing--;
    void this.#advance();
    this.#wake();
  }

  /** Whoever is committing already goes on with what has become ready meanwhile. */
  async #advance(): Promise<void> {
    if (this.#committing) return;
    this.#committing = true;
    for (;;) {
      await this.#rest;
      const ready = this.#ready();
      if (ready.length === 0) break;
      try {
        await this.#options.commit(ready);
        this.#line.splice(0, ready.length);
        if (!this.#awaited) this.#beginRest();
      } catch (error) {
        this.#held = true; // whether it took effect is unknown: nothing may follow it
        this.#fail(error);
      }
    }
    this.#committing = false;
    this.#wake();
  }

  #beginRest(): void {
    this.#rest = new Promise((resolve) => {
      const timer = setTimeout(resolve, this.#options.intervalMs);
      this.#endRest = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #ready(): StoredChunk[] {
    const ready: StoredChunk[] = [];
    for (const { chunk } of this.#held ? [] : this.#line) {
      if (chunk === undefined) break;
      ready.push(chunk);
    }
    return ready;
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#options.onFailure();
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  async #until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}
