import { DomainError } from "../kernel/index.ts";

export type TopologyErrorCode =
  /** It would lose copies, or cannot be; the message says what to do first. Nothing was changed. */
  | "topology.refused"
  /** No such rebalance, or it has ended. */
  | "rebalance.not_open";

export class TopologyError extends DomainError<TopologyErrorCode> {}
