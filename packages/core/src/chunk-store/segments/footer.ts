/**
 * The end of a full segment: its records' headers once more, together, and a last line that says how many they are and what
 * they hash to. Opening reads these instead of the whole segment. Without a footer, or with a damaged one, it is scanned.
 */
import { blake3 } from "@napi-rs/blake-hash";
import type { ReadableFile } from "./bad-sectors.ts";
import { type ChunkEvent, checkOf, decodeEvent } from "./chunk-event.ts";
import { EVENT_BYTES, footerBytes } from "./layout.ts";
import type { Segment } from "./segment.ts";

const MAGIC = Buffer.from("HFFOOTER");
const COUNT_AT = 8;
const HASH_AT = 16;
const CHECK_AT = 56;

/** What is to be written at the end of the segment, of its records' headers one after the other. */
export function encodeFooter(records: Buffer, generation: Buffer): Buffer {
  const last = Buffer.alloc(EVENT_BYTES);
  MAGIC.copy(last);
  last.writeUInt32BE(records.length / EVENT_BYTES, COUNT_AT);
  blake3(records).copy(last, HASH_AT);
  checkOf(last, generation).copy(last, CHECK_AT);
  return Buffer.concat([records, last]);
}

/** The records of a segment that has a whole footer. */
export async function readFooter(file: ReadableFile, { sizeBytes, generation }: Segment): Promise<ChunkEvent[] | undefined> {
  const last = Buffer.alloc(EVENT_BYTES);
  await file.read(last, sizeBytes - EVENT_BYTES);
  if (!last.subarray(0, MAGIC.length).equals(MAGIC) || !last.subarray(CHECK_AT).equals(checkOf(last, generation))) return undefined;
  const count = last.readUInt32BE(COUNT_AT);
  const records = Buffer.alloc(count * EVENT_BYTES);
  await file.read(records, sizeBytes - footerBytes(count));
  if (!blake3(records).equals(last.subarray(HASH_AT, HASH_AT + 32))) return undefined;
  const events = Array.from({ length: count }, (_, index) => decodeEvent(records.subarray(index * EVENT_BYTES), generation));
  return events.filter((event) => event !== undefined);
}
