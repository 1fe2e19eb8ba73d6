import { isDatabaseUnavailable } from "../http-edge/index.ts";
import type { Logger } from "../kernel/index.ts";
import type { LeadershipErrorCode } from "../leadership/index.ts";
import type { MembershipErrorCode } from "../membership/index.ts";
import { type CallErrorCode, type CallFailure, callFailure, failureIn, type StatusName } from "../protocol/index.ts";
import type { ControllerErrorCode } from "./errors.ts";

type Code = CallErrorCode | ControllerErrorCode | LeadershipErrorCode | MembershipErrorCode;

/** What a node may act upon, as `proto/` promises it. A code without a line here does not compile. */
const STATUSES: Readonly<Record<Code, StatusName>> = {
  "call.unauthenticated": "UNAUTHENTICATED",
  "call.invalid": "INVALID_ARGUMENT",
  "call.too_slow": "DEADLINE_EXCEEDED",
  "chunk.unknown": "NOT_FOUND",
  "cluster.too_few_nodes": "UNAVAILABLE",
  "leader.not_us": "UNAVAILABLE",
  "node.cloned": "ALREADY_EXISTS",
  "node.foreign": "FAILED_PRECONDITION",
  "node.unregistered": "NOT_FOUND",
  "node.unknown": "NOT_FOUND",
  "version.unknown": "NOT_FOUND",
};

/** The gRPC answer to a failed call. Whatever is no error of ours is logged whole and told as "internal". */
export function grpcStatusOf(error: unknown, logger: Logger): CallFailure {
  if (isDatabaseUnavailable(error)) return callFailure("UNAVAILABLE", "The controller cannot reach its database. Try again shortly.");
  const failure = failureIn(STATUSES, error);
  if (failure !== undefined) return failure;
  logger.error({ err: error }, "a call failed");
  return callFailure("INTERNAL", "The controller failed; its log says why.");
}
