/** Gives the bytes back. May be called twice. */
export type Release = () => void;

interface Waiter {
  bytes: number;
  grant(release: Release): void;
}

/**
 * Memory that many transfers share: a thousand of them use no more than fifty, and each waits for its turn.
 *
 * First come, first served: a large wish at the head is not overtaken by small ones, or it would wait forever.
 */
export class ByteBudget {
  readonly totalBytes: number;
  #usedBytes = 0;
  readonly #waiting: Waiter[] = [];

  constructor(totalBytes: number) {
    this.totalBytes = totalBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Whether anybody waits for room. */
  get contended(): boolean {
    return this.#waiting.length > 0;
  }

  /** Waits until there is room. Rejects with the signal's reason when aborted, and with a RangeError when it never could fit. */
  async acquire(bytes: number, signal?: AbortSignal): Promise<Release> {
    signal?.throwIfAborted();
    if (bytes > this.totalBytes) throw new RangeError(`${bytes} bytes never fit into a budget of ${this.totalBytes}`);
    return this.tryAcquire(bytes) ?? this.#wait(bytes, signal);
  }

  /** Undefined when there is no room now, or when others wait for it already. */
  tryAcquire(bytes: number): Release | undefined {
    return !this.contended && this.#fits(bytes) ? this.#take(bytes) : undefined;
  }

  #wait(bytes: number, signal?: AbortSignal): Promise<Release> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        reject(signal!.reason as Error);
        this.#serve();
      };
      const waiter: Waiter = {
        bytes,
        grant: (release) => {
          signal?.removeEventListener("abort", leave);
          resolve(release);
        },
      };
      signal?.addEventListener("abort", leave, { once: true });
      this.#waiting.push(waiter);
    });
  }

  #take(bytes: number): Release {
    this.#usedBytes += bytes;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#usedBytes -= bytes;
      this.#serve();
    };
  }

  #serve(): void {
    for (let next = this.#waiting[0]; next !== undefined && this.#fits(next.bytes); next = this.#waiting[0]) {
      this.#waiting.shift();
      next.grant(this.#take(next.bytes));
    }
  }

  #fits(bytes: number): boolean {
    return this.#usedBytes + bytes <= this.totalBytes;
  }
}
