/** Runs what concerns the same key one after the other; different keys do not wait for each other. */
export class Turns<Key> {
  readonly #last = new Map<Key, Promise<unknown>>();

  /** Settles as `work` does. */
  run<T>(key: Key, work: () => Promise<T>): Promise<T> {
    const turn = (this.#last.get(key) ?? Promise.resolve()).then(work);
    const over = Promise.allSettled([turn]);
    this.#last.set(key, over);
    void over.finally(() => this.#last.get(key) === over && this.#last.delete(key));
    return turn;
  }

  /** Resolves when everything begun so far is over. */
  async idle(): Promise<void> {
    await Promise.all(this.#last.values());
  }
}
