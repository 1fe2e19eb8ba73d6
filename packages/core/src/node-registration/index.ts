export { connectController } from "./controller-client.ts";
export { diskDevice } from "./device.ts";
export { RegistrationRefused } from "./errors.ts";
export { type IdentityMarker, type NodeIdentity, openIdentity } from "./identity.ts";
export { createLatencyMeter, type LatencyMeter } from "./latency.ts";
export { macAddress } from "./mac-address.ts";
export { type NodeDescription, type NodeVitals, type Registration, type RegistrationOptions, startRegistration } from "./registration.ts";
