/**
 * A part of a chunk, asked for and answered.
 *
 * Its place does not fit into a request's header, so it is the body: from (4 bytes), to (4), MAC (16). And its bytes cannot be
 * compared with the chunk's name, so ahead of them comes an answer that seals them, under the session's key: to what was
 * asked and to nothing else. Whatever changes them on the way, a fault or somebody who writes into the connection, is told.
 */
import { timingSafeEqual } from "node:crypto";
import { blake3 } from "@napi-rs/blake-hash";
import type { ChunkPart } from "../chunk-store/index.ts";
import { type ChunkId, chunkIdToBytes } from "../chunking/index.ts";
import { limits } from "../kernel/index.ts";
import type { SessionKey } from "../request-signing/index.ts";
import { FrameError } from "./frame-error.ts";

/** A part and the request that asks for it. */
export interface AskedPart {
  number: number;
  id: ChunkId;
  part: ChunkPart;
}

const TO_AT = 4;
const MAC_AT = 8;
const MAC_BYTES = 16;

const PURPOSES = { part: Buffer.from("part"), seal: Buffer.from("seal") };

export const PART_BYTES: number = MAC_AT + MAC_BYTES;
export const SEAL_BYTES: number = MAC_BYTES;

export function encodePart(asked: AskedPart, key: SessionKey): Buffer {
  const body = Buffer.allocUnsafe(PART_BYTES);
  body.writeUInt32BE(asked.part.from);
  body.writeUInt32BE(asked.part.to, TO_AT);
  macOf("part", asked, key).copy(body, MAC_AT);
  return body;
}

/** Throws a `FrameError` for what no holder of the key has sent with this request. */
export function decodePart(body: Buffer, { number, id }: Omit<AskedPart, "part">, key: SessionKey): ChunkPart {
  const part = { from: body.readUInt32BE(), to: body.readUInt32BE(TO_AT) };
  if (!timingSafeEqual(macOf("part", { number, id, part }, key), body.subarray(MAC_AT))) throw new FrameError("a part not of its request");
  if (part.from >= part.to || part.to > limits.chunkBytesMax) throw new FrameError("a part of no bytes, or beyond a chunk");
  return part;
}

export function sealOf(asked: AskedPart, bytes: Buffer, key: SessionKey): Buffer {
  return macOf("seal", asked, key, blake3(bytes));
}

export function isSealed(asked: AskedPart, bytes: Buffer, seal: Buffer, key: SessionKey): boolean {
  return timingSafeEqual(sealOf(asked, bytes, key), seal);
}

/** Shorter or longer than what the MAC of a header is made of, so that none of the three passes for another. */
function macOf(purpose: keyof typeof PURPOSES, { number, id, part }: AskedPart, key: SessionKey, hash?: Buffer): Buffer {
  const place = Buffer.alloc(16);
  place.writeUIntBE(number, 0, 6);
  place.writeUInt32BE(part.from, 8);
  place.writeUInt32BE(part.to, 12);
  const asked = [PURPOSES[purpose], place, chunkIdToBytes(id)];
  return key.mac(...asked, ...(hash === undefined ? [] : [hash])).subarray(0, MAC_BYTES);
}
