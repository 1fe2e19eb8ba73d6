/** Numbers the events of a store; what happened later has the higher one, across restarts. */
export class Sequence {
  #last = 0;

  next(): number {
    return ++this.#last;
  }

  /** So that those to come are higher. */
  heed(number: number): void {
    this.#last = Math.max(this.#last, number);
  }
}
