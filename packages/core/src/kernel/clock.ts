/**
 * Time as an argument, so that a test can hold it.
 *
 * `monotonicMs` is for durations and deadlines: it never jumps. `now` is for what people read.
 */
export interface Clock {
  /** Milliseconds since an arbitrary start. */
  monotonicMs(): number;
  now(): Date;
}

export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  now: () => new Date(),
};
