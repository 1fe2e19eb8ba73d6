export { connectController } from "./controller-client.ts";
export { RegistrationRefused } from "./errors.ts";
export { type IdentityMarker, type NodeIdentity, openIdentity } from "./identity.ts";
export { macAddress } from "./mac-address.ts";
export { type NodeDescription, type Registration, type RegistrationOptions, startRegistration } from "./registration.ts";
