/**
 * How the services of a cluster know each other: an HMAC-SHA256 by the cluster key over method, path, time and nonce.
 *
 * The key itself never travels, a captured request is worth nothing for another path, and none works twice. The body is
 * not covered, and need not be on the byte path: a chunk's path names the hash of its bytes. Whoever must hide or protect
 * other bodies on an untrusted network uses TLS beneath.
 *
 * gRPC calls are signed alike, with the method "GRPC" and the full method name as path.
 */
import { createHmac, randomBytes } from "node:crypto";
import { type Clock, systemClock } from "../kernel/index.ts";

export interface SignedRequest {
  /** Upper case: `GET`, `PUT`, `GRPC`. */
  method: string;
  /** As sent, with the query. */
  path: string;
}

export type SignatureHeaders = Record<"holdfast-time" | "holdfast-nonce" | "holdfast-signature", string>;

const NONCE_BYTES = 12;

/** Headers (or gRPC metadata) for one request. A retry needs new ones: no signature is accepted twice. */
export function signRequest(key: string, request: SignedRequest, clock: Clock = systemClock): SignatureHeaders {
  const time = String(clock.now().getTime());
  const nonce = randomBytes(NONCE_BYTES).toString("base64url");
  return {
    "holdfast-time": time,
    "holdfast-nonce": nonce,
    "holdfast-signature": signatureOf(key, request, time, nonce).toString("hex"),
  };
}

/** 32 bytes. No field can hold a line feed, so no two requests are written alike. */
export function signatureOf(key: string, { method, path }: SignedRequest, time: string, nonce: string): Buffer {
  return createHmac("sha256", key).update(`${method}\n${path}\n${time}\n${nonce}`).digest();
}
