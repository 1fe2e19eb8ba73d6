import { status } from "@grpc/grpc-js";
import { isDatabaseUnavailable } from "../http-edge/index.ts";
import { DomainError, type Logger } from "../kernel/index.ts";
import type { LeadershipErrorCode } from "../leadership/index.ts";
import type { MembershipErrorCode } from "../membership/index.ts";
import type { CallErrorCode } from "../protocol/index.ts";

type Code = CallErrorCode | LeadershipErrorCode | MembershipErrorCode;

/** What a node may act upon, as `proto/` promises it. A code without a line here does not compile. */
const STATUSES: Record<Code, status> = {
  "call.unauthenticated": status.UNAUTHENTICATED,
  "call.invalid": status.INVALID_ARGUMENT,
  "call.too_slow": status.DEADLINE_EXCEEDED,
  "leader.not_us": status.UNAVAILABLE,
  "node.cloned": status.ALREADY_EXISTS,
  "node.foreign": status.FAILED_PRECONDITION,
  "node.unregistered": status.NOT_FOUND,
  "node.unknown": status.NOT_FOUND,
};

/** The gRPC answer to a failed call. Whatever is no error of ours is logged whole and told as "internal". */
export function grpcStatusOf(error: unknown, logger: Logger): { code: status; details: string } {
  if (isDatabaseUnavailable(error))
    return { code: status.UNAVAILABLE, details: "The controller cannot reach its database. Try again shortly." };
  if (error instanceof DomainError && Object.hasOwn(STATUSES, error.code)) {
    return { code: STATUSES[error.code as Code], details: error.message };
  }
  logger.error({ err: error }, "a call failed");
  return { code: status.INTERNAL, details: "The controller failed; its log says why." };
}
