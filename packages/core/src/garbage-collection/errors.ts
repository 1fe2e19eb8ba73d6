import { DomainError } from "../kernel/index.ts";

export type GarbageErrorCode =
  /** No such run, or it does not wait for anybody. */
  "garbage.not_braked";

export class GarbageError extends DomainError<GarbageErrorCode> {}
