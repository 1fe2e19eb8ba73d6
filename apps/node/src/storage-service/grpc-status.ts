import type { ChunkStoreErrorCode } from "@holdfast/core/chunk-store";
import type { Logger } from "@holdfast/core/kernel";
import { type CallErrorCode, type CallFailure, callFailure, failureIn, type StatusName } from "@holdfast/core/protocol";
import type { NodeErrorCode } from "../errors.ts";

type Code = CallErrorCode | ChunkStoreErrorCode | NodeErrorCode;

/** As `proto/` promises it. A code without a line here does not compile. */
const STATUSES: Readonly<Record<Code, StatusName>> = {
  "call.unauthenticated": "UNAUTHENTICATED",
  "call.invalid": "INVALID_ARGUMENT",
  "call.too_slow": "DEADLINE_EXCEEDED",
  "chunk.not_found": "NOT_FOUND",
  "chunk.corrupt": "DATA_LOSS",
  "chunk.mismatch": "INVALID_ARGUMENT",
  "chunk.bad_part": "OUT_OF_RANGE",
  "chunk.bad_length": "INVALID_ARGUMENT",
  "chunk.bad_id": "INVALID_ARGUMENT",
  "chunk.length_required": "INVALID_ARGUMENT",
  "chunk.no_source": "UNAVAILABLE",
  "command.invalid": "INVALID_ARGUMENT",
  "list.bad_page": "INVALID_ARGUMENT",
  "store.full": "RESOURCE_EXHAUSTED",
  "store.failed": "UNAVAILABLE",
  "store.stale_epoch": "ABORTED",
  "store.unreachable": "UNAVAILABLE",
  "store.unauthenticated": "UNAUTHENTICATED",
  "node.unregistered": "UNAVAILABLE",
};

/** The gRPC answer to a failed call. Whatever is no error of ours is logged whole and told as "internal". */
export function grpcStatusOf(error: unknown, logger: Logger): CallFailure {
  const failure = failureIn(STATUSES, error);
  if (failure !== undefined) return failure;
  logger.error({ err: error }, "a call failed");
  return callFailure("INTERNAL", "The node failed; its log says why.");
}
