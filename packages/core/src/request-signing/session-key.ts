import { createHmac, hash } from "node:crypto";

const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;
const MESSAGE_BYTES_MAX = 128;

/**
 * HMAC-SHA256 (RFC 2104) of short messages under one key. `createHmac` looks its algorithm up and makes its contexts anew each
 * time, which takes many times as long as the four blocks that are hashed.
 */
export class SessionKey {
  /** The key, padded, and room for what is hashed behind it. */
  readonly #inner: Buffer;
  readonly #outer: Buffer;

  /** Of a block at most. */
  constructor(key: Buffer) {
    const padded = (pad: number, room: number): Buffer => Buffer.alloc(BLOCK_BYTES + room).map((_, at) => pad ^ (key[at] ?? 0)) as Buffer;
    this.#inner = padded(0x36, MESSAGE_BYTES_MAX);
    this.#outer = padded(0x5c, DIGEST_BYTES);
  }

  /** 32 bytes. The parts are one message. Throws for one that is too long. */
  mac(...parts: readonly Buffer[]): Buffer {
    let end = BLOCK_BYTES;
    for (const part of parts) {
      if (end + part.length > this.#inner.length) throw new RangeError("a message that is too long for this MAC");
      end += part.copy(this.#inner, end);
    }
    this.#outer.write(hash("sha256", this.#inner.subarray(0, end), "latin1"), BLOCK_BYTES, "latin1");
    return hash("sha256", this.#outer, "buffer");
  }
}

/**
 * The key of one session that began with a signed request: known to holders of the cluster key alone, and to no other
 * session, since each side has put a nonce of its own into it.
 */
export function sessionKeyOf(key: string, protocol: string, nonces: { request: string; answer: string }): SessionKey {
  return new SessionKey(createHmac("sha256", key).update(`${protocol}\n${nonces.request}\n${nonces.answer}`).digest());
}
