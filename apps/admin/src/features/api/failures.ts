/** What went wrong with a request, as far as a page must know it: who has to act. */
import { TRPCClientError } from "@trpc/client";

/** The HTTP status that the server gave; undefined when it never answered. */
function statusOf(error: unknown): number | undefined {
  if (!(error instanceof TRPCClientError)) return undefined;
  const data = error.data as { httpStatus?: number } | null | undefined;
  return data?.httpStatus;
}

/** It will pass: the server, its database or the network is away. Asking again is right, giving up is not. */
export function isTemporary(error: unknown): boolean {
  const status = statusOf(error);
  return status === undefined || status === 429 || status >= 502;
}

export function isSignedOut(error: unknown): boolean {
  return statusOf(error) === 401;
}

export function isForbidden(error: unknown): boolean {
  return statusOf(error) === 403;
}
