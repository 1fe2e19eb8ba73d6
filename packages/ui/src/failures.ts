/**
 * What went wrong with a request of a page, as far as it must know: who has to act, and the words for it.
 *
 * Both apps speak tRPC, each with a client typed by its own server. Its errors are known here by their shape, so that the
 * components need no client.
 */
interface ClientError extends Error {
  data?: { httpStatus?: unknown } | null;
}

/** The HTTP status that the server gave; undefined when it never answered. */
function statusOf(error: unknown): number | undefined {
  const status = isClientError(error) ? error.data?.httpStatus : undefined;
  return typeof status === "number" ? status : undefined;
}

/** It will pass: the server, its database or the network is away. Asking again is right, giving up is not. */
export function isTemporary(error: unknown): boolean {
  if (!isClientError(error)) return false;
  const status = statusOf(error);
  return status === undefined || status === 429 || status === 502 || status === 503 || status === 504;
}

export function isSignedOut(error: unknown): boolean {
  return statusOf(error) === 401;
}

export function isForbidden(error: unknown): boolean {
  return statusOf(error) === 403;
}

export function isMissing(error: unknown): boolean {
  return statusOf(error) === 404;
}

/** A sentence for people. The server writes its own; what never reached the server gets ours. */
export function wordsFor(error: unknown): string {
  if (isClientError(error) && statusOf(error) !== undefined) return error.message;
  if (isTemporary(error)) return "Holdfast does not answer. It may be restarting, or the network is down.";
  return "Something went wrong. Reload the page and try again.";
}

function isClientError(error: unknown): error is ClientError {
  return error instanceof Error && error.name === "TRPCClientError";
}
