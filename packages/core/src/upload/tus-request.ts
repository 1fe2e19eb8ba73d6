/**
 * A tus request, checked before anything is done with it.
 *
 * The protocol library forgives what we do not: doubled headers, lengths beyond what numbers hold, requests outside our
 * path. It also knows neither checksums nor concatenation. So every header is read here, strictly, and the library gets
 * only those that it handles.
 */
import type { IncomingMessage } from "node:http";
import { HttpEdgeError } from "../http-edge/index.ts";
import { limits } from "../kernel/index.ts";
import { type Checksum, parseChecksum } from "./checksum.ts";
import { badHeader, tooLarge, UploadError, uploadNotFound } from "./errors.ts";

export const UPLOAD_PATH = "/api/upload";
export const TUS_VERSION = "1.0.0";

export interface TusRequest {
  method: string;
  /** Absent for the collection itself. */
  uploadId: string | undefined;
  metadata: string;
  /** As sent; HEAD gives it back. */
  concat: string;
  /** Part of a concatenation to come, or the concatenation of these uploads. */
  role: { kind: "whole" } | { kind: "partial" } | { kind: "final"; partIds: string[] };
  checksum: Checksum | undefined;
  /** What the protocol library handles. Those of a file that comes whole never get that far, and web headers are dear. */
  headers: Readonly<Record<string, string>>;
}

const COLLECTION_METHODS = ["POST", "OPTIONS"];
const UPLOAD_METHODS = ["HEAD", "PATCH", "DELETE", "OPTIONS"];
const LIBRARY_HEADERS = ["tus-resumable", "upload-length", "upload-defer-length", "upload-offset", "content-type", "content-length"];
export const BODY_TYPE = "application/offset+octet-stream";
const UPLOAD_URL = new RegExp(`^${UPLOAD_PATH}/([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$`);
const COUNT = /^(?:0|[1-9]\d*)$/;

/** Rejects with an `UploadError`, or `request.method_not_allowed`. */
export function parseTusRequest(req: IncomingMessage): TusRequest {
  const method = methodOf(req);
  const uploadId = uploadIdOf(req.url ?? "");
  const allow = uploadId === undefined ? COLLECTION_METHODS : UPLOAD_METHODS;
  if (!allow.includes(method)) throw new HttpEdgeError("request.method_not_allowed", `Use ${allow.join(", ")} here.`, { allow });
  if (method !== "OPTIONS") requireVersion(req);

  const concat = headerOf(req, "upload-concat") ?? "";
  const role = roleOf(concat);
  if (method === "POST") requireLength(req, role);
  if (method === "PATCH") requirePosition(req);
  for (const header of ["upload-length", "upload-offset"]) requireCount(header, headerOf(req, header));
  const checksum = headerOf(req, "upload-checksum");
  return {
    method,
    uploadId,
    metadata: headerOf(req, "upload-metadata") ?? "",
    concat,
    role,
    checksum: checksum === undefined ? undefined : parseChecksum(checksum),
    headers: libraryHeaders(req),
  };
}

/** The id in an upload's address, absolute or relative; undefined for the collection. Rejects with `upload.not_found`. */
function uploadIdOf(url: string): string | undefined {
  if (url === UPLOAD_PATH) return undefined; // what nearly all requests with a whole file say
  const path = URL.parse(url, "http://any")?.pathname ?? "";
  if (path === UPLOAD_PATH || path === `${UPLOAD_PATH}/`) return undefined;
  const [, id] = UPLOAD_URL.exec(path) ?? [];
  if (id === undefined) throw uploadNotFound();
  return id;
}

/**
 * The protocol lets a client that cannot send PATCH or DELETE name them in a header. Only beside POST: a method that is safe
 * by name was not asked where it came from, and must not change anything.
 */
function methodOf(req: IncomingMessage): string {
  const override = req.method === "POST" ? headerOf(req, "x-http-method-override") : undefined;
  return override ?? req.method ?? "";
}

/** Two of a header, which some proxy might judge by the first and we by the second, are refused. */
function headerOf(req: IncomingMessage, name: string): string | undefined {
  const values = req.headersDistinct[name] ?? [];
  if (values.length > 1) throw badHeader(name, `The header ${name} is there ${values.length} times. Send it once.`);
  return values[0];
}

function requireVersion(req: IncomingMessage): void {
  if (headerOf(req, "tus-resumable") === TUS_VERSION) return;
  throw new UploadError(
    "upload.unsupported_version",
    `This server speaks tus ${TUS_VERSION}: send the header Tus-Resumable: ${TUS_VERSION}.`,
  );
}

function requireCount(header: string, value: string | undefined): void {
  if (value === undefined) return;
  if (!COUNT.test(value)) throw badHeader(header, `${header} must be a number of bytes in digits.`);
  if (Number(value) > limits.uploadBytesMax) throw tooLarge();
}

function requireLength(req: IncomingMessage, role: TusRequest["role"]): void {
  const declared = headerOf(req, "upload-length") !== undefined;
  const deferred = headerOf(req, "upload-defer-length");
  if (deferred !== undefined && deferred !== "1") throw badHeader("upload-defer-length", "Upload-Defer-Length can only be 1.");
  const wanted = role.kind === "final" ? 0 : 1;
  if (Number(declared) + Number(deferred !== undefined) === wanted) return;
  throw badHeader(
    "upload-length",
    role.kind === "final"
      ? "The length of a concatenation is that of its parts: send neither Upload-Length nor Upload-Defer-Length."
      : "Send either Upload-Length or Upload-Defer-Length: 1.",
  );
}

function requirePosition(req: IncomingMessage): void {
  if (headerOf(req, "content-type") !== BODY_TYPE)
    throw new UploadError("upload.bad_media_type", `The body must be sent as Content-Type: ${BODY_TYPE}.`);
  if (headerOf(req, "upload-offset") === undefined) throw badHeader("upload-offset", "Upload-Offset must say where the bytes belong.");
}

function roleOf(concat: string): TusRequest["role"] {
  if (concat === "") return { kind: "whole" };
  if (concat === "partial") return { kind: "partial" };
  const [kind, urls = ""] = concat.split(";", 2);
  const partIds = urls
    .split(" ")
    .filter((url) => url !== "")
    .map(uploadIdOf)
    .filter((id) => id !== undefined);
  if (kind === "final" && partIds.length > 0) return { kind: "final", partIds };
  throw badHeader("upload-concat", 'Upload-Concat must be "partial", or "final;" and the addresses of the parts.');
}

function libraryHeaders(req: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name of LIBRARY_HEADERS) {
    const value = headerOf(req, name);
    if (value !== undefined) headers[name] = value;
  }
  return headers;
}
