import { DomainError } from "../kernel/index.ts";

export type ControllerErrorCode =
  /** No signature by the cluster key, or one that does not hold. */
  | "call.unauthenticated"
  /** A field is missing or impossible; the message names it. */
  | "call.invalid";

export class ControllerError extends DomainError<ControllerErrorCode> {}
