import { isTemporary } from "./failures.ts";

const RETRY_DELAY_MIN_MS = 500;
const RETRY_DELAY_MAX_MS = 8_000;

/** How both apps read: for as long as it takes, because what is read is looked at when something is broken. */
export const queryDefaults = {
  staleTime: 5_000,
  retry: (_attempts: number, error: unknown): boolean => isTemporary(error),
  retryDelay: (attempt: number): number => Math.min(RETRY_DELAY_MIN_MS * 2 ** attempt, RETRY_DELAY_MAX_MS),
};
