/** Numbers the events of a store; what happened later has the higher one, across restarts. */
export class Sequence {
  #last = 0;

  /** The highest so far. */
  get last(): number {
    return this.#last;
  }

  next(): number {
    return ++this.#last;
  }

  /** So that those to come are higher. */
  heed(number: number): void {
    this.#last = Math.max(this.#last, number);
  }
}
