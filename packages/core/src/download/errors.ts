import { DomainError } from "../kernel/index.ts";

export type DownloadErrorCode =
  /** No copy of a chunk can be read right now; `details.nodes` says why, node by node. */
  | "content.unavailable"
  /** If-Match or If-Unmodified-Since: the file is no longer the one the caller knows. */
  | "content.changed"
  /** Every range asked for lies outside the file. */
  | "range.not_satisfiable";

export class DownloadError extends DomainError<DownloadErrorCode> {}
