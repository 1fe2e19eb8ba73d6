import { DomainError } from "../kernel/index.ts";

export type CallErrorCode =
  /** No signature by the cluster key, or one that does not hold. */
  | "call.unauthenticated"
  /** A field is missing or impossible; the message names it. */
  | "call.invalid"
  /** It took longer than a call may. */
  | "call.too_slow";

/** What is wrong with a gRPC call before any domain has looked at it. */
export class CallError extends DomainError<CallErrorCode> {}
