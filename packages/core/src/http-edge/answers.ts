import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import { DomainError, type Logger, SECOND_MS } from "../kernel/index.ts";
import { isDatabaseUnavailable } from "./database-unavailable.ts";
import { statusOf } from "./statuses.ts";

/** What a 503 tells its caller to wait. */
export const RETRY_AFTER_SECONDS = 2;

/** Set by the server on every response; whoever reports a problem can quote it. */
export const REQUEST_ID_HEADER = "holdfast-request-id";

/** How long a client that was refused may go on sending: cut off at once, it would never read why. */
const LINGER_MS = SECOND_MS;

interface Answer {
  status: number;
  body: { error: string; message: string; [detail: string]: unknown };
}

export function answerJson(res: ServerResponse, status: number, body: unknown, headers: OutgoingHttpHeaders = {}): void {
  const bytes = writeJsonHead(res, status, body, headers);
  res.end(bytes);
}

/**
 * Answers with what the error may say to the outside: `{ error, message, ...details }`. What is no `DomainError` is logged
 * whole and answered as "internal". A response that has begun can only be cut off, so that nobody takes it for complete.
 */
export function answerError(res: ServerResponse, error: unknown, logger: Logger): void {
  if (res.destroyed) {
    logger.debug({ err: error }, "the client left before its answer");
    return;
  }
  const { status, body } = answerFor(error, res, logger);
  if (res.headersSent) {
    res.destroy();
  } else if (hasUnreadBody(res.req)) {
    res.write(writeJsonHead(res, status, body, { ...protocolHeaders(status, body), connection: "close" }));
    endAfterBody(res);
  } else {
    answerJson(res, status, body, protocolHeaders(status, body));
  }
}

/** Returns the body's bytes, none for a HEAD. */
function writeJsonHead(res: ServerResponse, status: number, body: unknown, headers: OutgoingHttpHeaders): Buffer {
  const bytes = Buffer.from(JSON.stringify(body));
  res.writeHead(status, {
    "content-type": "application/json; charset=utf-8",
    "content-length": bytes.length,
    "cache-control": "no-store",
    ...headers,
  });
  return res.req.method === "HEAD" ? bytes.subarray(0, 0) : bytes;
}

function hasUnreadBody({ complete, headers }: IncomingMessage): boolean {
  return !complete && (headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0);
}

/** The answer is on its way; the connection stays until the client has sent what it meant to, or long enough. */
function endAfterBody(res: ServerResponse): void {
  const end = (): void => {
    clearTimeout(limit);
    res.end();
  };
  const limit = setTimeout(end, LINGER_MS);
  res.req.once("close", end).once("end", end).resume();
}

/** What HTTP itself wants said with a status. */
function protocolHeaders(status: number, { allow, sizeBytes }: Answer["body"]): OutgoingHttpHeaders {
  switch (status) {
    case 405:
      return { allow: String(allow) };
    case 416:
      return { "content-range": `bytes */${String(sizeBytes)}` };
    case 503:
      return { "retry-after": String(RETRY_AFTER_SECONDS) };
    default:
      return {};
  }
}

function answerFor(error: unknown, res: ServerResponse, logger: Logger): Answer {
  if (isDatabaseUnavailable(error)) {
    logger.warn({ err: error }, "the database is unavailable");
    return {
      status: 503,
      body: { error: "database.unavailable", message: "The database does not answer right now. Nothing is lost; try again in a moment." },
    };
  }
  const status = error instanceof DomainError ? statusOf(error.code) : undefined;
  if (error instanceof DomainError && status !== undefined) {
    return { status, body: { ...error.details, error: error.code, message: error.message } };
  }
  const requestId = res.getHeader(REQUEST_ID_HEADER);
  logger.error({ err: error, requestId }, "internal error");
  return { status: 500, body: { error: "internal", message: "Something went wrong on our side. The server's log says what.", requestId } };
}
