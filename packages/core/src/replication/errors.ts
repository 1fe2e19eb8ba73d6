import { DomainError } from "../kernel/index.ts";

export type ReplicationErrorCode =
  /** Fewer nodes than the write quorum took the chunk. `details.away` lists the others and why. */
  | "cluster.too_few_nodes"
  /** The nodes are there, but too few of them have room. `details.away` lists those that do not. */
  | "cluster.full";

export class ReplicationError extends DomainError<ReplicationErrorCode> {}
