export { type SessionKey, sessionKeyOf } from "./session-key.ts";
export { signRequest, type SignatureHeaders, type SignedRequest } from "./sign.ts";
export { createRequestVerifier, type ReceivedRequest, type RequestVerifier, type SignatureVerdict } from "./verify.ts";
