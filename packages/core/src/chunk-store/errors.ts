import { DomainError } from "../kernel/index.ts";

export type ChunkStoreErrorCode =
  /** Nobody put it here, or it was deleted. */
  | "chunk.not_found"
  /** The stored bytes are not what their name says; the copy was set aside. */
  | "chunk.corrupt"
  /** The bytes sent do not hash to the name sent. */
  | "chunk.mismatch"
  /** Longer than a chunk may be, or empty. */
  | "chunk.bad_length"
  /** None of the copies it was to be fetched from is whole and within reach; `details.bad` says why of each. */
  | "chunk.no_source"
  /** No room beyond the reserve. */
  | "store.full"
  /** The disk failed; it takes no more writes until somebody has looked at it. */
  | "store.failed"
  /** A newer leader has given commands since; this one's is refused. */
  | "store.stale_epoch"
  /** No answer, or a broken one: whether the operation took effect is unknown. */
  | "store.unreachable"
  /** The store refused our credentials. */
  | "store.unauthenticated";

export class ChunkStoreError extends DomainError<ChunkStoreErrorCode> {}
