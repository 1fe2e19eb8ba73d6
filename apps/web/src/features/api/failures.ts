/** What went wrong with a request, as far as a page must know it: who has to act, and the words for it. */
import { TRPCClientError } from "@trpc/client";

const UNREACHABLE = "Holdfast does not answer. It may be restarting, or the network is down.";

/** The HTTP status that the server gave; undefined when it never answered. */
export function statusOf(error: unknown): number | undefined {
  if (!(error instanceof TRPCClientError)) return undefined;
  const data: unknown = error.data;
  return hasStatus(data) ? data.httpStatus : undefined;
}

function hasStatus(data: unknown): data is { httpStatus: number } {
  return typeof data === "object" && data !== null && "httpStatus" in data && typeof data.httpStatus === "number";
}

/** It will pass: the server, its database or the network is away. Asking again is right, giving up is not. */
export function isTemporary(error: unknown): boolean {
  if (!(error instanceof TRPCClientError)) return false;
  const status = statusOf(error);
  return status === undefined || status === 429 || status === 502 || status === 503 || status === 504;
}

export function isSignedOut(error: unknown): boolean {
  return statusOf(error) === 401;
}

export function isMissing(error: unknown): boolean {
  return statusOf(error) === 404;
}

/** A sentence for people. The server writes its own; what never reached the server gets ours. */
export function wordsFor(error: unknown): string {
  if (error instanceof TRPCClientError && statusOf(error) !== undefined) return error.message;
  if (isTemporary(error)) return UNREACHABLE;
  return "Something went wrong. Reload the page and try again.";
}
