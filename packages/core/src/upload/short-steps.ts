/**
 * Every request that adds bytes to an upload makes at least one chunk of them: rows here, and a record on three nodes. So a
 * client that sends a file byte by byte would cost a million times its bytes. A few short steps are normal (a connection
 * broke, a file ends), and each person has plenty of them; they come back with time. Whoever has used them up is refused
 * before anything is asked of the database, until some have.
 */
import { type Clock, limits, SECOND_MS, systemClock } from "../kernel/index.ts";
import { UploadError } from "./errors.ts";

export interface ShortSteps {
  /** Rejects with `upload.steps_too_short` when the drive has none left. */
  require(driveId: string): void;
  /** A request added so few bytes, and they were not the last ones. */
  count(driveId: string, bytes: number): void;
}

export interface ShortStepsOptions {
  max?: number;
  perSecond?: number;
  clock?: Clock;
}

interface Spent {
  steps: number;
  atMs: number;
}

export function createShortSteps(options: ShortStepsOptions = {}): ShortSteps {
  const { max = limits.uploadShortStepsMax, perSecond = limits.uploadShortStepsPerSecond, clock = systemClock } = options;
  /** Of those who have spent any. */
  const spent = new Map<string, Spent>();

  const spentBy = (driveId: string): number => {
    const { steps, atMs } = spent.get(driveId) ?? { steps: 0, atMs: 0 };
    return Math.max(0, steps - ((clock.monotonicMs() - atMs) / SECOND_MS) * perSecond);
  };
  const forgetRested = (): void => {
    for (const driveId of spent.keys()) if (spentBy(driveId) === 0) spent.delete(driveId);
  };

  return {
    require(driveId) {
      if (spentBy(driveId) >= max) throw stepsTooShort();
    },
    count(driveId, bytes) {
      if (bytes >= limits.uploadStepBytesMin) return;
      const steps = spentBy(driveId) + 1;
      if (steps === 1) forgetRested();
      spent.set(driveId, { steps, atMs: clock.monotonicMs() });
    },
  };
}

function stepsTooShort(): UploadError {
  return new UploadError(
    "upload.steps_too_short",
    `Too many requests brought only a few bytes each. Send at least ${limits.uploadStepBytesMin} bytes at a time, or wait a moment.`,
    { bytesMin: limits.uploadStepBytesMin },
  );
}
