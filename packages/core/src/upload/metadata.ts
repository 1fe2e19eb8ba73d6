/** What a client tells about the file it uploads: `Upload-Metadata`, a list of keys with base64 values. */
import type { ConflictPolicy } from "../drive/index.ts";
import { limits } from "../kernel/index.ts";
import { UploadError } from "./errors.ts";

export interface UploadMetadata {
  filename: string;
  filetype: string;
  /** Undefined means the root. */
  parentId: string | undefined;
  relativePath: string;
  conflict: ConflictPolicy;
}

const CONFLICT_POLICIES: readonly ConflictPolicy[] = ["keep-both", "replace", "skip"];
const KEY = /^[\x21-\x2b\x2d-\x7e]+$/; // printable ASCII without space and comma
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const MEDIA_TYPE = /^[\w!#$&^.+-]{1,127}\/[\w!#$&^.+-]{1,127}(?:\s*;[\x20-\x7e]*)?$/;
const MEDIA_TYPE_LENGTH_MAX = 255;
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Unknown keys are kept in the header, which HEAD gives back, and mean nothing here. Rejects with `upload.bad_metadata`. */
export function parseUploadMetadata(header: string): UploadMetadata {
  const values = parseHeader(header);
  const filename = values.get("filename");
  if (filename === undefined) throw badMetadata('Upload-Metadata must tell the file\'s name, as in "filename cGhvdG8uanBn".');
  return {
    filename,
    filetype: mediaType(values.get("filetype") ?? ""),
    parentId: values.get("parentId") || undefined,
    relativePath: values.get("relativePath") ?? "",
    conflict: conflictPolicy(values.get("conflict") ?? "keep-both"),
  };
}

function parseHeader(header: string): Map<string, string> {
  if (Buffer.byteLength(header) > limits.uploadMetadataBytesMax) {
    throw badMetadata(`Upload-Metadata is longer than ${limits.uploadMetadataBytesMax} bytes.`);
  }
  const values = new Map<string, string>();
  for (const pair of header === "" ? [] : header.split(",")) {
    const [key = "", encoded = "", ...rest] = pair.split(" ");
    if (!KEY.test(key) || rest.length > 0)
      throw badMetadata("Upload-Metadata must be a comma-separated list of a key, a space and a value each.");
    if (values.has(key)) throw badMetadata(`Upload-Metadata has the key "${key}" twice.`);
    values.set(key, decode(key, encoded));
  }
  return values;
}

function decode(key: string, encoded: string): string {
  if (!BASE64.test(encoded)) throw badMetadata(`The value of "${key}" in Upload-Metadata is not base64.`);
  try {
    return utf8.decode(Buffer.from(encoded, "base64"));
  } catch (cause) {
    throw badMetadata(`The value of "${key}" in Upload-Metadata is not UTF-8.`, cause);
  }
}

/** Browsers send none for a type they do not know, and that is fine. What is no media type is not worth refusing a file for. */
function mediaType(text: string): string {
  return text.length <= MEDIA_TYPE_LENGTH_MAX && MEDIA_TYPE.test(text) ? text : "";
}

function conflictPolicy(text: string): ConflictPolicy {
  const policy = CONFLICT_POLICIES.find((known) => known === text);
  if (policy === undefined) throw badMetadata(`"conflict" in Upload-Metadata must be one of ${CONFLICT_POLICIES.join(", ")}.`);
  return policy;
}

function badMetadata(message: string, cause?: unknown): UploadError {
  return new UploadError("upload.bad_metadata", message, {}, { cause });
}
