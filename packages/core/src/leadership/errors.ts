import { DomainError } from "../kernel/index.ts";

export type LeadershipErrorCode =
  /** This process does not lead, or does not lead any more. What it was about to change was not changed. */
  "leader.not_us";

export class LeadershipError extends DomainError<LeadershipErrorCode> {}
