/**
 * What happened to a chunk, in 64 bytes: the one thing this store writes down beside the chunks themselves.
 *
 * The same bytes are a record's header ("held", at this place), a mark ("trashed", "held" again, "lost", "deleted") and a
 * line of a footer. Of all events of a chunk, the one with the highest sequence is true. Each carries a check that nobody
 * can make up who does not know its segment's generation: neither what an earlier generation left behind nor a chunk that
 * somebody built to look like a record is ever taken for one, and half an event is none.
 */
import { blake3 } from "@napi-rs/blake-hash";
import type { ChunkId } from "../../chunking/index.ts";
import { EVENT_BYTES } from "./layout.ts";

export type ChunkState = "held" | "trashed" | "lost" | "deleted";

export interface ChunkEvent {
  state: ChunkState;
  id: ChunkId;
  /** Where in the segment the chunk's record is; 0 for a lost chunk whose damaged record is gone. */
  offset: number;
  /** Of the chunk. */
  length: number;
  /** Grows with every event of the store. A copy that compaction makes keeps the one of what it copies. */
  sequence: number;
  /** When it was trashed or lost, in milliseconds since 1970; else 0. */
  atMs: number;
}

const STATES: readonly ChunkState[] = ["held", "trashed", "lost", "deleted"];
const MAGIC = 0x48_46_45; // "HFE"
const STATE_AT = 3;
const OFFSET_AT = 4; // in units of an event's size
const LENGTH_AT = 8;
const SEQUENCE_AT = 12;
const TIME_AT = 18;
const ID_AT = 24;
const CHECK_AT = 56;

export function encodeEvent(event: ChunkEvent, generation: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(EVENT_BYTES);
  bytes.writeUIntBE(MAGIC, 0, STATE_AT);
  bytes[STATE_AT] = STATES.indexOf(event.state);
  bytes.writeUInt32BE(event.offset / EVENT_BYTES, OFFSET_AT);
  bytes.writeUInt32BE(event.length, LENGTH_AT);
  bytes.writeUIntBE(event.sequence, SEQUENCE_AT, 6);
  bytes.writeUIntBE(event.atMs, TIME_AT, 6);
  bytes.write(event.id, ID_AT, "hex");
  checkOf(bytes, generation).copy(bytes, CHECK_AT);
  return bytes;
}

/** Undefined for anything that is not a whole event of this generation. */
export function decodeEvent(bytes: Buffer, generation: Buffer): ChunkEvent | undefined {
  if (bytes.length < EVENT_BYTES || bytes.readUIntBE(0, STATE_AT) !== MAGIC) return undefined;
  const state = STATES[bytes[STATE_AT]!];
  if (state === undefined || !bytes.subarray(CHECK_AT, EVENT_BYTES).equals(checkOf(bytes, generation))) return undefined;
  return {
    state,
    id: bytes.toString("hex", ID_AT, CHECK_AT) as ChunkId,
    offset: bytes.readUInt32BE(OFFSET_AT) * EVENT_BYTES,
    length: bytes.readUInt32BE(LENGTH_AT),
    sequence: bytes.readUIntBE(SEQUENCE_AT, 6),
    atMs: bytes.readUIntBE(TIME_AT, 6),
  };
}

/** The last 8 of the 64 bytes, made from the others. Also for the line that ends a footer. */
export function checkOf(bytes: Buffer, generation: Buffer): Buffer {
  return blake3(Buffer.concat([generation, bytes.subarray(0, CHECK_AT)])).subarray(0, EVENT_BYTES - CHECK_AT);
}
