/**
 * An error that somebody outside may be told about.
 *
 * Each domain has a class of its own with a closed set of codes; each edge (HTTP, tus, gRPC, tRPC) maps codes to its
 * protocol in one table. Anything else that is thrown is a bug of ours: it is logged whole, and the caller learns nothing
 * but "internal".
 */
export abstract class DomainError<Code extends string = string> extends Error {
  /** Stable and dotted, noun first: `chunk.not_found`. Programs decide by it; it never changes. */
  readonly code: Code;
  /** Facts for programs, beside the sentence for people. Never a secret. */
  readonly details: Readonly<Record<string, unknown>>;

  /** `message` is plain words with the way out, for whoever made the request. */
  constructor(code: Code, message: string, details: Readonly<Record<string, unknown>> = {}, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
    this.details = details;
  }
}

/** For the branch that the types say cannot be reached. */
export function unreachable(value: never): never {
  throw new Error(`unexpected value: ${JSON.stringify(value)}`);
}
