import { DomainError } from "../kernel/index.ts";

export type MembershipErrorCode =
  /** Another process that still answers holds this identity. */
  | "node.cloned"
  /** The disk was stamped by another cluster. */
  | "node.foreign"
  /** No node has this identity and boot: it must register first. */
  | "node.unregistered"
  /** No node has this number. */
  | "node.unknown";

export class MembershipError extends DomainError<MembershipErrorCode> {}
