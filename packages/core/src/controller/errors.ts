import { DomainError } from "../kernel/index.ts";

export type ControllerErrorCode =
  /** No version, and so no upload, ever referred to such a chunk. */
  | "chunk.unknown"
  /** There is no such version, or it is not committed. */
  | "version.unknown"
  /** Fewer nodes take chunks than a write must reach to count. */
  | "cluster.too_few_nodes";

/** Why the controller cannot answer what a program asks of it. */
export class ControllerError extends DomainError<ControllerErrorCode> {}
