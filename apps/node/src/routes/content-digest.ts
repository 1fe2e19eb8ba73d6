/**
 * SHA-256 beside the chunk's own BLAKE3 name, for callers that carry their own proof from end to end: the fields of
 * RFC 9530, checked when sent and computed when asked for.
 */
import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { ChunkStoreError } from "@holdfast/core/chunk-store";

const SENT = /(?:^|[ ,])sha-256=:([A-Za-z0-9+/]{43}=):/;
const WANTED = /(?:^|[ ,])sha-256=(?:[1-9]|10)(?:$|[ ,])/;

/** Throws `chunk.mismatch` when the request says another SHA-256. */
export function requireDigest({ headers }: IncomingMessage, bytes: Buffer): void {
  const [, sent] = SENT.exec(String(headers["content-digest"] ?? "")) ?? [];
  if (sent === undefined || sent === sha256(bytes)) return;
  throw new ChunkStoreError(
    "chunk.mismatch",
    "The bytes do not match their SHA-256 digest. They were changed on the way; send them again.",
  );
}

/** The header to answer with; none unless asked for, since it costs more than everything else about a chunk. */
export function digestHeader({ headers }: IncomingMessage, bytes: Buffer): Record<string, string> {
  return WANTED.test(String(headers["want-content-digest"] ?? "")) ? { "content-digest": `sha-256=:${sha256(bytes)}:` } : {};
}

function sha256(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("base64");
}
