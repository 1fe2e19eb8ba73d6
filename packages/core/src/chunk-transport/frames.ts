/**
 * What travels on a chunk stream once it is open: requests one way, answers the other, each a header of fixed length and a
 * body of the length it names.
 *
 * Every request is authenticated by the session's key, and numbered without a gap: what is forged, altered, left out or sent
 * again by somebody on the way ends the session. A chunk's bytes are not covered, and need not be: their hash is the chunk's
 * name, and the names of several in one request are covered (`bundle.ts`). Answers are not authenticated, as they are not over
 * HTTP either; what they carry is compared with its name. Only a part of a chunk has none, and is sealed (`parts.ts`).
 *
 * All numbers are big-endian. Header of a request: kind (1 byte), 0 (1), number (6), length of the body (4), chunk id (32),
 * MAC (16). Header of an answer: kind (1), 0 (1), number (6), length of the body (4).
 */
import { timingSafeEqual } from "node:crypto";
import type { ChunkId } from "../chunking/index.ts";
import { limits } from "../kernel/index.ts";
import type { SessionKey } from "../request-signing/index.ts";
import { BUNDLE_BYTES_MAX, BUNDLE_BYTES_MIN, OUTCOMES_BYTES_MAX, REFUSAL_BYTES_MAX } from "./bundle.ts";
import { FrameError } from "./frame-error.ts";
import { PART_BYTES, SEAL_BYTES } from "./parts.ts";

const requestKinds = ["put", "get", "cancel", "copy", "part", "bundle"] as const;
const answerKinds = ["stored", "held", "chunk", "refusal", "seal", "part", "bundle"] as const;

/**
 * `copy` is a `get` for a copy on another node, which no user waits for; `part` one for a part of the chunk, and `bundle` some
 * puts together, both only to nodes that said they know them. `cancel` names by its number one of these whose answer nobody
 * waits for any more; it is the only one without an answer.
 */
export interface Request {
  kind: (typeof requestKinds)[number];
  number: number;
  length: number;
  id: ChunkId;
}

/**
 * `stored` and `held` answer a put, `chunk` a get or a copy, `seal` and then `part` a part, `bundle` a bundle. A refusal's body
 * says why, as an error over HTTP does.
 */
export interface Answer {
  kind: (typeof answerKinds)[number];
  number: number;
  length: number;
}

const NUMBER_AT = 2;
const NUMBER_BYTES = 6;
const LENGTH_AT = 8;
const ID_AT = 12;
const MAC_AT = 44;

export const REQUEST_BYTES = 60;
export const ANSWER_BYTES = 12;

export function encodeRequest({ kind, number, length, id }: Request, key: SessionKey): Buffer {
  const header = Buffer.allocUnsafe(REQUEST_BYTES);
  writeStart(header, requestKinds.indexOf(kind), number, length);
  header.write(id, ID_AT, "hex");
  macOf(header, key).copy(header, MAC_AT, 0, REQUEST_BYTES - MAC_AT);
  return header;
}

/** Throws a `FrameError` for what no holder of the key has sent. */
export function decodeRequest(header: Buffer, key: SessionKey): Request {
  const mac = macOf(header, key).subarray(0, REQUEST_BYTES - MAC_AT);
  if (!timingSafeEqual(mac, header.subarray(MAC_AT, REQUEST_BYTES))) throw new FrameError("a request that is not of this session");
  const { kind, number, length } = readStart(header, requestKinds);
  if (kind === "put") requireLength(length, 1, limits.chunkBytesMax);
  else if (kind === "part") requireLength(length, PART_BYTES, PART_BYTES);
  else if (kind === "bundle") requireLength(length, BUNDLE_BYTES_MIN, BUNDLE_BYTES_MAX);
  else requireLength(length, 0, 0);
  return { kind, number, length, id: header.toString("hex", ID_AT, MAC_AT) as ChunkId };
}

export function encodeAnswer({ kind, number, length }: Answer): Buffer {
  const header = Buffer.allocUnsafe(ANSWER_BYTES);
  writeStart(header, answerKinds.indexOf(kind), number, length);
  return header;
}

/** Throws a `FrameError`. */
export function decodeAnswer(header: Buffer): Answer {
  const answer = readStart(header, answerKinds);
  if (answer.kind === "chunk" || answer.kind === "part") requireLength(answer.length, 1, limits.chunkBytesMax);
  else if (answer.kind === "seal") requireLength(answer.length, SEAL_BYTES, SEAL_BYTES);
  else if (answer.kind === "refusal") requireLength(answer.length, 1, REFUSAL_BYTES_MAX);
  else if (answer.kind === "bundle") requireLength(answer.length, 1, OUTCOMES_BYTES_MAX);
  else requireLength(answer.length, 0, 0);
  return answer;
}

function writeStart(header: Buffer, kind: number, number: number, length: number): void {
  header[0] = kind;
  header[1] = 0;
  header.writeUIntBE(number, NUMBER_AT, NUMBER_BYTES);
  header.writeUInt32BE(length, LENGTH_AT);
}

function readStart<Kind>(header: Buffer, kinds: readonly Kind[]): { kind: Kind; number: number; length: number } {
  const kind = kinds[header[0]!];
  if (kind === undefined || header[1] !== 0) throw new FrameError("a frame of no known kind");
  return { kind, number: header.readUIntBE(NUMBER_AT, NUMBER_BYTES), length: header.readUInt32BE(LENGTH_AT) };
}

function requireLength(length: number, least: number, most: number): void {
  if (length < least || length > most) throw new FrameError(`a frame with a body of ${length} bytes`);
}

function macOf(header: Buffer, key: SessionKey): Buffer {
  return key.mac(header.subarray(0, MAC_AT));
}
