import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { chunkIdOf } from "../chunking/index.ts";
import { KiB } from "../kernel/index.ts";
import {
  BUNDLE_BYTES_MAX,
  type ChunkToPut,
  decodeOutcomes,
  encodeBundle,
  encodeOutcomes,
  intoBundles,
  openBundle,
  OUTCOMES_BYTES_MAX,
  type PutOutcome,
  REFUSAL_BYTES_MAX,
} from "./bundle.ts";
import { FrameError } from "./frame-error.ts";

const ID_BYTES = 32;
const LINE_BYTES = ID_BYTES + 4;
const COUNT_BYTES = 2;

const chunks = [1, 4 * KiB, 10_000].map(someChunk);
const { id, body } = encodeBundle(chunks);
const bytes = Buffer.concat(body);

function someChunk(length: number): ChunkToPut {
  const bytes = randomBytes(length);
  return { id: chunkIdOf(bytes), bytes };
}

test("what was put into a bundle comes out of it", () => {
  expect(openBundle(bytes, id)).toEqual(chunks);
});

test("one bit of the list, anywhere, is noticed", () => {
  for (let bit = 0; bit < 8 * (COUNT_BYTES + chunks.length * LINE_BYTES); bit++) {
    const changed = Buffer.from(bytes);
    changed[bit >> 3]! ^= 1 << (bit & 7);
    expect(() => openBundle(changed, id)).toThrow(FrameError);
  }
});

describe("lists that a holder of the key might send, and that no body fits", () => {
  const listOf = (lengths: readonly number[], count = lengths.length): Buffer => {
    const list = Buffer.alloc(COUNT_BYTES + lengths.length * LINE_BYTES);
    list.writeUInt16BE(count);
    for (const [index, length] of lengths.entries()) list.writeUInt32BE(length, COUNT_BYTES + index * LINE_BYTES + ID_BYTES);
    return list;
  };

  test.each<[string, Buffer, number]>([
    ["no chunk", listOf([]), 100],
    ["more chunks than lines", listOf([10], 60_000), 10],
    ["a chunk of no bytes", listOf([0, 10]), 10],
    ["a chunk longer than the body", listOf([11]), 10],
    ["a length that no number of bytes has", listOf([0xff_ff_ff_ff]), 10],
    ["bytes of no chunk", listOf([9]), 10],
  ])("%s", (_what, list, restBytes) => {
    const body = Buffer.concat([list, Buffer.alloc(restBytes)]);
    const signed = body.subarray(0, COUNT_BYTES + body.readUInt16BE() * LINE_BYTES);
    expect(() => openBundle(body, chunkIdOf(signed))).toThrow(FrameError);
  });
});

test("chunks go into as few bundles as hold them, in their order, and none is too long", () => {
  const many = Array.from({ length: 40 }, (_, index) => someChunk(index % 7 === 0 ? 20 * KiB : 4 * KiB));
  const bundles = intoBundles(many);
  expect(bundles.flat()).toEqual(many);
  const lengths = bundles.map((bundle) => Buffer.concat(encodeBundle(bundle).body).length);
  expect(Math.max(...lengths)).toBeLessThanOrEqual(BUNDLE_BYTES_MAX);
  for (const [index, length] of lengths.slice(0, -1).entries()) {
    expect(length + LINE_BYTES + bundles[index + 1]![0]!.bytes.length).toBeGreaterThan(BUNDLE_BYTES_MAX);
  }
});

test("of the tiniest chunks there are no more in one than may all be refused in one answer", () => {
  const bundles = intoBundles(Array.from({ length: 100 }, () => someChunk(1)));
  const longest = { kind: "refusal", body: Buffer.alloc(REFUSAL_BYTES_MAX) } as const;
  expect(bundles.length).toBeGreaterThan(1);
  for (const bundle of bundles) {
    expect(encodeOutcomes(bundle.map(() => longest)).length).toBeLessThanOrEqual(OUTCOMES_BYTES_MAX);
    const { id, body } = encodeBundle(bundle);
    expect(openBundle(Buffer.concat(body), id)).toHaveLength(bundle.length);
  }
  const { id, body } = encodeBundle(bundles.flat());
  expect(() => openBundle(Buffer.concat(body), id)).toThrow(FrameError);
});

test("one that fits into none stands alone, between others", () => {
  const [small, large] = [someChunk(10), someChunk(BUNDLE_BYTES_MAX)];
  expect(intoBundles([small, large, small])).toEqual([[small], [large], [small]]);
});

const outcomes: PutOutcome[] = [{ kind: "stored" }, { kind: "refusal", body: Buffer.from('{"error":"store.full"}') }, { kind: "held" }];

test("what became of each is told, in the order of the chunks", () => {
  expect(decodeOutcomes(encodeOutcomes(outcomes), 3)).toEqual(outcomes);
});

test.each<[string, Buffer, number]>([
  ["of fewer chunks", encodeOutcomes(outcomes), 4],
  ["of more chunks", encodeOutcomes(outcomes), 2],
  ["cut off", encodeOutcomes(outcomes).subarray(0, -1), 3],
  ["cut off in a refusal", encodeOutcomes(outcomes.slice(0, 2)).subarray(0, -1), 2],
  ["of a kind that nobody knows", Buffer.from([3, 0, 0, 0, 0]), 1],
  ["a refusal without a word", Buffer.from([2, 0, 0, 0, 0]), 1],
  ["stored, with something to say", Buffer.from([0, 0, 0, 0, 1, 65]), 1],
])("an answer %s is none", (_what, answer, count) => {
  expect(() => decodeOutcomes(answer, count)).toThrow(FrameError);
});

test("a chunk's own name opens no bundle of it", () => {
  const [chunk] = chunks as [ChunkToPut];
  expect(() => openBundle(Buffer.concat(encodeBundle([chunk]).body), chunk.id)).toThrow(FrameError);
});
