/**
 * Tells "the database is away" from every other failure.
 *
 * The difference decides between 503 (try again) and 500 (a bug), and above all keeps an outage from looking like an empty
 * folder. The same outage arrives in many shapes: a socket error, PostgreSQL's own farewell, a sentence of the `pg` pool
 * without any code, or one of these wrapped by Prisma, better-auth or tRPC.
 */
import { DomainError } from "../kernel/index.ts";

const SOCKET = ["ECONNREFUSED", "ECONNRESET", "ENOTFOUND", "EAI_AGAIN", "ETIMEDOUT", "EPIPE", "EHOSTUNREACH", "ENETUNREACH"];
/**
 * Shutting down, crashed, starting up; no connection left; a standby that cannot write; a statement that was cut off because
 * it took too long, a transaction because we did.
 */
const POSTGRES = ["57P01", "57P02", "57P03", "53300", "25006", "57014", "25P03"];
/** Unreachable, timed out (twice), closed, pool exhausted. */
const PRISMA = ["P1001", "P1002", "P1008", "P1017", "P2024"];
const PRISMA_ADAPTER = ["DatabaseNotReachable", "ConnectionClosed", "SocketTimeout", "TooManyConnections"];
const CODES = new Set([...SOCKET, ...POSTGRES, ...PRISMA, ...PRISMA_ADAPTER]);

/** SQLSTATE class 08: connection exceptions. */
const CONNECTION_EXCEPTION = /^08[0-9A-Z]{3}$/;

const POOL_SENTENCES = [
  "timeout exceeded when trying to connect",
  "Connection terminated",
  "timeout expired",
  "Client has encountered a connection error and is not queryable",
];

/** True when this error, or one that it wraps, says that the database could not be reached. */
export function isDatabaseUnavailable(error: unknown): boolean {
  // A domain's own error names its cause itself: a socket error beneath `store.unreachable` is a node's, not the database's.
  if (!isRecord(error) || error instanceof DomainError) return false;
  const { code, originalCode, kind, message } = error;
  return [code, originalCode, kind].some(hasCode) || hasSentence(message) || wrapped(error).some(isDatabaseUnavailable);
}

function wrapped(error: Record<string, unknown>): unknown[] {
  const { cause, errors, meta } = error;
  return [cause, ...(Array.isArray(errors) ? (errors as unknown[]) : []), isRecord(meta) ? meta["driverAdapterError"] : undefined];
}

function hasCode(code: unknown): boolean {
  return typeof code === "string" && (CODES.has(code) || CONNECTION_EXCEPTION.test(code));
}

function hasSentence(message: unknown): boolean {
  return typeof message === "string" && POOL_SENTENCES.some((sentence) => message.startsWith(sentence));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
