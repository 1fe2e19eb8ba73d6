import { DomainError } from "../kernel/index.ts";

export type RegistrationRefusedCode =
  /** The disk belongs to another cluster. */
  | "node.foreign"
  /** Another live process speaks for the identity on this disk. */
  | "node.cloned";

/** The controller will never accept this node as it is; only a person can change that. */
export class RegistrationRefused extends DomainError<RegistrationRefusedCode> {}
