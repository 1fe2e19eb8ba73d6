/**
 * What may be true of something, seen from outside: one value once the last change was answered, several while a change is
 * under way or after its answer was lost.
 */
export class Fact<T> {
  #possible: Set<T>;
  readonly #watchers = new Set<Set<T>>();

  constructor(...possible: T[]) {
    this.#possible = new Set(possible);
  }

  get possible(): ReadonlySet<T> {
    return this.#possible;
  }

  /** The one value it must have; undefined while nobody can know. */
  get sure(): T | undefined {
    return this.#possible.size === 1 ? [...this.#possible][0] : undefined;
  }

  /** Before the change is asked for. */
  mayBecome(value: T): void {
    this.#possible.add(value);
    for (const seen of this.#watchers) seen.add(value);
  }

  /** Once it was answered. */
  is(value: T): void {
    this.mayBecome(value);
    this.#possible = new Set([value]);
  }

  /** From now on, gathers whatever it may be; calling the answer ends that and returns all of it. */
  watch(): () => ReadonlySet<T> {
    const seen = new Set(this.#possible);
    this.#watchers.add(seen);
    return () => {
      this.#watchers.delete(seen);
      return seen;
    };
  }
}
