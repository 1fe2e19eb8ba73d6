export { type Accounts, type AccountsOptions, createAccounts, type NewOwner, type SetupState, type SignUpPolicy } from "./accounts.ts";
export { AccountError, type AccountErrorCode } from "./errors.ts";
export { type EnvironmentOwner } from "./owner.ts";
export { type Peer, peerOf } from "./peer.ts";
export { type Profile, readProfile } from "./profile.ts";
