/** What an upload does when a request of its fails. Pure. */

export type Failure =
  /** Passes by itself; `afterMs` when the server said how long. */
  | { next: "retry"; why: string; afterMs?: number }
  /** The session is over. */
  | { next: "sign-in" }
  /** The server has forgotten this upload: begin again from the first byte. */
  | { next: "restart" }
  /** Only a person can help. */
  | { next: "give-up"; why: string };

/** What came back, as far as it matters; without a status nothing came back at all. */
export interface FailedAnswer {
  status?: number;
  body?: string;
  retryAfter?: string;
  /** The request asked about an upload that was created before. */
  resuming: boolean;
}

const RETRIED = new Set([408, 409, 423, 425, 429, 460, 500, 502, 503, 504]);
const FORGOTTEN = new Set([403, 404, 410]);

export function judge({ status, body, retryAfter, resuming }: FailedAnswer): Failure {
  if (status === undefined) return { next: "retry", why: "Waiting for the connection to Holdfast" };
  if (status === 401) return { next: "sign-in" };
  if (resuming && FORGOTTEN.has(status)) return { next: "restart" };
  const words = messageIn(body);
  if (RETRIED.has(status)) return { next: "retry", why: words ?? "Waiting for Holdfast", afterMs: retryAfterMs(retryAfter) };
  return { next: "give-up", why: words ?? `Holdfast refused this file (${status}).` };
}

const RETRY_MIN_MS = 500;
const RETRY_MAX_MS = 15_000;

/** The first retry comes soon, for a restart of the server; a server that stays away is asked every quarter of a minute. */
export function retryDelayMs(attempt: number): number {
  return Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** attempt);
}

function retryAfterMs(header: string | undefined): number | undefined {
  const seconds = Number(header);
  return header !== undefined && Number.isFinite(seconds) && seconds >= 0 ? Math.min(seconds * 1000, RETRY_MAX_MS) : undefined;
}

function messageIn(body: string | undefined): string | undefined {
  try {
    const parsed: unknown = JSON.parse(body ?? "");
    if (typeof parsed === "object" && parsed !== null && "message" in parsed && typeof parsed.message === "string") return parsed.message;
  } catch {
    return undefined; // a proxy's page, not words of ours
  }
  return undefined;
}
