/**
 * Bytes to send: random, and different in every 4 KiB of every file, so that nothing is deduplicated or compressed; made in
 * memory at next to no cost, so that making them is not what is measured.
 */
import { randomBytes, randomInt } from "node:crypto";
import { KiB, MiB } from "@holdfast/core/kernel";

const PART_BYTES = 1 * MiB;
const STAMP_EVERY_BYTES = 4 * KiB;
const WORD_BYTES = 4;
const base = randomBytes(PART_BYTES);
/** Another run on the same data must not meet its bytes again. */
const runNumber = randomInt(2 ** 32);
let stamp = 0;

/** Each part is overwritten by the next: it must have been sent by then. */
export function* payload(length: number): Generator<Buffer> {
  const part = Buffer.allocUnsafeSlow(Math.min(PART_BYTES, Math.ceil(length / WORD_BYTES) * WORD_BYTES));
  base.copy(part);
  const words = new Uint32Array(part.buffer);
  for (let at = 0; at < length; at += PART_BYTES) {
    for (let word = 0; word < words.length; word += STAMP_EVERY_BYTES / WORD_BYTES) {
      words[word] = stamp;
      if (word + 1 < words.length) words[word + 1] = runNumber;
      stamp += 1;
    }
    yield part.subarray(0, Math.min(PART_BYTES, length - at));
  }
}
