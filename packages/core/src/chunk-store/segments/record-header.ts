/**
 * The page that a large record begins with: its event, and behind that the checks of its chunk's blocks. The rest is zeros.
 *
 * The checks carry one of their own, made with the segment's generation, the chunk's name and its length: checks of another
 * chunk, what an earlier generation left behind, and half of what was written are none. A record of a time before there were
 * any has zeros there, which are none either; its chunk is read whole.
 */
import { blake3 } from "@napi-rs/blake-hash";
import { type ChunkId, chunkIdToBytes } from "../../chunking/index.ts";
import { PAGE_BYTES } from "../../kernel/index.ts";
import { keptChecksBytes } from "./checked-chunk.ts";
import { EVENT_BYTES } from "./layout.ts";

type Checked = { id: ChunkId; length: number };

const SEAL_AT = EVENT_BYTES;
const SEAL_BYTES = 16;
const CHECKS_AT = SEAL_AT + SEAL_BYTES;
/** No other check that is made with a generation begins like this. */
const PURPOSE = Buffer.from("HFBLOCKS");

export function headerPage(event: Buffer, chunk: Checked, checks: Buffer, generation: Buffer): Buffer {
  const page = Buffer.alloc(PAGE_BYTES);
  event.copy(page);
  sealOf(chunk, checks, generation).copy(page, SEAL_AT);
  checks.copy(page, CHECKS_AT);
  return page;
}

/** How much of the page must be read for the checks of a chunk of this length. */
export function headerBytes(chunkLength: number): number {
  return CHECKS_AT + keptChecksBytes(chunkLength);
}

/** The checks in so much of the page; undefined where there are none of this very chunk. */
export function checksIn(header: Buffer, chunk: Checked, generation: Buffer): Buffer | undefined {
  const checks = header.subarray(CHECKS_AT, headerBytes(chunk.length));
  return header.subarray(SEAL_AT, CHECKS_AT).equals(sealOf(chunk, checks, generation)) ? checks : undefined;
}

function sealOf({ id, length }: Checked, checks: Buffer, generation: Buffer): Buffer {
  const lengthBytes = Buffer.alloc(4);
  lengthBytes.writeUInt32BE(length);
  return blake3(Buffer.concat([PURPOSE, generation, chunkIdToBytes(id), lengthBytes, checks])).subarray(0, SEAL_BYTES);
}
