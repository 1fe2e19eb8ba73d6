import { createHash } from "node:crypto";
import { Blake3Hasher } from "@napi-rs/blake-hash";
import { UploadError } from "./errors.ts";

/** What a request says its body hashes to. */
export interface Checksum {
  algorithm: ChecksumAlgorithm;
  digest: Buffer;
}

const DIGEST_BYTES = { sha1: 20, sha256: 32, md5: 16, blake3: 32 } as const;

export type ChecksumAlgorithm = keyof typeof DIGEST_BYTES;

export const CHECKSUM_ALGORITHMS = Object.keys(DIGEST_BYTES) as ChecksumAlgorithm[];

const HEADER = /^(\S+) ([A-Za-z0-9+/]+={0,2})$/;

/** Parses an `Upload-Checksum` header. Rejects with `upload.bad_checksum`. */
export function parseChecksum(header: string): Checksum {
  const [, name = "", encoded = ""] = HEADER.exec(header) ?? [];
  const algorithm = CHECKSUM_ALGORITHMS.find((known) => known === name);
  const digest = Buffer.from(encoded, "base64");
  if (algorithm !== undefined && digest.length === DIGEST_BYTES[algorithm]) return { algorithm, digest };
  throw new UploadError(
    "upload.bad_checksum",
    `Upload-Checksum must be an algorithm and a base64 digest of its length, as in "sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=". Known: ${CHECKSUM_ALGORITHMS.join(", ")}.`,
    { algorithms: CHECKSUM_ALGORITHMS },
  );
}

/** Hashes a body while it passes. */
export interface ChecksumCheck {
  update(bytes: Buffer): void;
  /** Rejects with `upload.checksum_mismatch` when the bytes so far are not what was announced. */
  verify(): void;
}

export function checkAgainst({ algorithm, digest }: Checksum): ChecksumCheck {
  const hasher = algorithm === "blake3" ? new Blake3Hasher() : createHash(algorithm);
  return {
    update: (bytes) => void hasher.update(bytes),
    verify() {
      if (hasher.digest("hex") === digest.toString("hex")) return;
      throw new UploadError("upload.checksum_mismatch", "The bytes were changed on their way here and were not stored. Send them again.");
    },
  };
}
