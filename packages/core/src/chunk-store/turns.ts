/** Runs what concerns the same key one after the other; different keys do not wait for each other. */
export class Turns<Key> {
  readonly #last = new Map<Key, Promise<unknown>>();

  /** Settles as `work` does, which begins at once where nobody else is at it. */
  run<T>(key: Key, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key);
    const turn = before === undefined ? work() : before.then(work);
    const leave = (): void => {
      if (this.#last.get(key) === over) this.#last.delete(key);
    };
    const over = turn.then(leave, leave);
    this.#last.set(key, over);
    return turn;
  }

  /** Resolves when everything begun so far is over. */
  async idle(): Promise<void> {
    await Promise.all(this.#last.values());
  }
}
