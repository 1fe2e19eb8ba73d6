/** Counts who is at work on something, for whoever must wait until nobody is. */
export class Uses {
  #count = 0;
  #waiting: (() => void)[] = [];

  async run<T>(work: () => Promise<T>): Promise<T> {
    this.#count++;
    try {
      return await work();
    } finally {
      this.#count--;
      if (this.#count === 0) for (const proceed of this.#waiting.splice(0)) proceed();
    }
  }

  /** Resolves when nobody is. */
  async over(): Promise<void> {
    while (this.#count > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}
