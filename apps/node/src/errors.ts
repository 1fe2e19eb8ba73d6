import type { ServerResponse } from "node:http";
import { type ChunkStoreErrorCode, chunkStoreStatus } from "@holdfast/core/chunk-store";
import { answerJson, RETRY_AFTER_SECONDS } from "@holdfast/core/http-edge";
import { DomainError } from "@holdfast/core/kernel";

export type NodeErrorCode =
  /** Not 64 lower-case hex digits. */
  | "chunk.bad_id"
  /** A chunk is sent with its length ahead of it. */
  | "chunk.length_required"
  /** Beyond the chunk's end. */
  | "chunk.bad_part"
  /** `after` is no chunk id, or `limit` no number in range. */
  | "list.bad_page"
  /** A command lacks a field or its epoch, or one of them is impossible; `details.faults` says which. */
  | "command.invalid"
  /** The node has not joined a cluster yet. */
  | "node.unregistered";

/** What is wrong with a request to a node before any store has looked at it. */
export class NodeError extends DomainError<NodeErrorCode> {}

const STATUSES: Readonly<Record<NodeErrorCode | ChunkStoreErrorCode, number>> = {
  ...chunkStoreStatus,
  "chunk.bad_id": 400,
  "chunk.length_required": 411,
  "chunk.bad_part": 416,
  "list.bad_page": 400,
  "command.invalid": 400,
  "node.unregistered": 503,
};

/**
 * Answers what a node's own protocol knows; throws everything else on to the server. The statuses differ from those of the
 * outside doors: a client of a node must tell "this copy is bad" from "this node is bad".
 */
export function answerNodeError(res: ServerResponse, error: unknown): void {
  if (res.headersSent || res.destroyed || !isTold(error)) throw error;
  const status = STATUSES[error.code];
  if (status === 503) res.setHeader("retry-after", RETRY_AFTER_SECONDS);
  answerJson(res, status, toldError(error));
}

/** What others are told of an error; undefined for one that is a bug of ours. */
export function toldError(error: unknown): { error: string; message: string } | undefined {
  return isTold(error) ? { ...error.details, error: error.code, message: error.message } : undefined;
}

function isTold(error: unknown): error is DomainError<keyof typeof STATUSES> {
  return error instanceof DomainError && isKnown(error.code);
}

function isKnown(code: string): code is keyof typeof STATUSES {
  return Object.hasOwn(STATUSES, code);
}
