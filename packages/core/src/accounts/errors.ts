import { DomainError } from "../kernel/index.ts";

export type AccountErrorCode =
  /** There is an owner; set-up happens once. */
  | "setup.done"
  /** The one-time code is missing or is not the one that the server printed. */
  | "setup.wrong_code"
  /** Too many wrong codes for now. */
  | "setup.too_many_tries"
  /** Who is signed in gave another password than the account's. */
  | "account.wrong_password"
  /** Too many tries to confirm a password for now. */
  | "account.too_many_tries"
  /** Nobody makes an account without an admin's invitation here. */
  | "account.sign_up_closed"
  /** An admin's rights are taken by another admin only, so that there always is one. */
  | "account.own_role"
  /** An address, a password or a name that cannot be used; the message says which and why. */
  | "account.invalid";

export class AccountError extends DomainError<AccountErrorCode> {}
