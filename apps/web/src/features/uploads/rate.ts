/** How fast bytes go, smoothed so that a person can read it. Pure. */

/** After this long an old speed counts half. */
const HALF_LIFE_MS = 3_000;
/** Shorter intervals measure the network stack's buffers, not the network. */
const SAMPLE_MS = 400;

export interface Rate {
  bytesPerSecond: number;
  atMs: number;
  bytes: number;
}

/** Begins to measure at a count of bytes that says nothing about speed yet, such as the offset an upload resumes from. */
export function startRate(bytes: number, atMs: number): Rate {
  return { bytesPerSecond: 0, atMs, bytes };
}

/** Takes the count of bytes seen at a moment; moments too close to the last one are left for later. */
export function observe(rate: Rate, bytes: number, atMs: number): Rate {
  const elapsedMs = atMs - rate.atMs;
  if (elapsedMs < SAMPLE_MS) return rate;
  const latest = (Math.max(0, bytes - rate.bytes) * 1000) / elapsedMs;
  const isFirst = rate.bytesPerSecond === 0;
  const weight = isFirst ? 1 : 1 - 2 ** (-elapsedMs / HALF_LIFE_MS);
  return { bytesPerSecond: rate.bytesPerSecond + weight * (latest - rate.bytesPerSecond), atMs, bytes };
}

/** Slower is standing still. */
const STANDSTILL_BYTES_PER_SECOND = 500;

/** Undefined while the speed is unknown or says "never". */
export function timeLeftMs(remainingBytes: number, bytesPerSecond: number): number | undefined {
  return bytesPerSecond > STANDSTILL_BYTES_PER_SECOND ? (remainingBytes / bytesPerSecond) * 1000 : undefined;
}
