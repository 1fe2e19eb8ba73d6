/**
 * Files too big to keep: incompressible bytes that can be made again from any offset, so that an upload may be resumed and
 * a download checked without a copy.
 */
import { createCipheriv, createHash } from "node:crypto";
import { Readable } from "node:stream";

const STEP_BYTES = 1 << 20;
const CIPHER_BLOCK_BYTES = 16;

export interface RandomFile {
  readonly length: number;
  /** Bytes from `offset` (default 0) to `end` (exclusive; default: the end). */
  stream(offset?: number, end?: number): Readable;
  /** The same, at once. For ranges that fit in memory. */
  bytes(offset?: number, end?: number): Buffer;
  /** Hex SHA-256 of the whole: independent of the hash the system under test uses. */
  sha256(): string;
}

/** The same `seed` always gives the same bytes. */
export function randomFile(seed: string, length: number): RandomFile {
  const key = createHash("md5").update(seed).digest();
  function* steps(offset: number, end: number): Generator<Buffer> {
    for (let at = offset; at < end; at += STEP_BYTES) yield keystream(key, at, Math.min(STEP_BYTES, end - at));
  }
  return {
    length,
    stream: (offset = 0, end = length) => Readable.from(steps(offset, end), { objectMode: false }),
    bytes: (offset = 0, end = length) => Buffer.concat([...steps(offset, end)]),
    sha256() {
      const hash = createHash("sha256");
      for (const step of steps(0, length)) hash.update(step);
      return hash.digest("hex");
    },
  };
}

/** AES in counter mode over zeros: any place of the stream can be computed by itself. */
function keystream(key: Buffer, offset: number, length: number): Buffer {
  const counter = Buffer.alloc(CIPHER_BLOCK_BYTES);
  counter.writeBigUInt64BE(BigInt(Math.floor(offset / CIPHER_BLOCK_BYTES)), 8);
  const skip = offset % CIPHER_BLOCK_BYTES;
  return createCipheriv("aes-128-ctr", key, counter)
    .update(Buffer.alloc(skip + length))
    .subarray(skip);
}
