import { DomainError } from "../kernel/index.ts";

export type HttpEdgeErrorCode =
  /** Nobody is signed in, or the session is over. */
  | "auth.required"
  /** Signed in, but not as somebody who may do this. */
  | "auth.forbidden"
  /** Signed in as somebody who may do this, but the password was last given too long ago; the message says how to give it. */
  | "auth.unconfirmed"
  /** A page of another site made this request in the user's name. */
  | "request.cross_site"
  /** The request's first line names neither a path nor a URL. */
  | "request.bad_target"
  /** The address exists, for other methods; `details.allow` is the list of them, as the Allow header has it. */
  | "request.method_not_allowed"
  | "request.not_found"
  /** The body is not what this address takes. */
  | "request.invalid"
  /** The process runs but cannot serve yet. */
  | "service.starting";

/** What is wrong with a request before any domain has looked at it. */
export class HttpEdgeError extends DomainError<HttpEdgeErrorCode> {}
