import { createHmac, createSecretKey, type KeyObject } from "node:crypto";

/**
 * The key of one session that began with a signed request: known to holders of the cluster key alone, and to no other
 * session, since each side has put a nonce of its own into it.
 */
export function sessionKeyOf(key: string, protocol: string, nonces: { request: string; answer: string }): KeyObject {
  return createSecretKey(createHmac("sha256", key).update(`${protocol}\n${nonces.request}\n${nonces.answer}`).digest());
}
