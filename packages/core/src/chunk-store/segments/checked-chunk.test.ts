import { randomBytes } from "node:crypto";
import { afterEach, expect, test, vi } from "vitest";
import { type ChunkId, chunkIdOf } from "../../chunking/index.ts";
import { limits } from "../../kernel/index.ts";
import { BLOCK_BYTES } from "../chunk-part.ts";
import { areBlocksWhole } from "../block-checks.ts";
import { checkedChunk } from "./checked-chunk.ts";

/** What happens right after a chunk was compared with its name. */
let afterwards: ((bytes: Buffer) => void) | undefined;
vi.mock("../verification.ts", async (original) => {
  const real = await original<typeof import("../verification.ts")>();
  const requireWhole = (id: ChunkId, bytes: Buffer): void => {
    real.requireWhole(id, bytes);
    afterwards?.(bytes);
  };
  return { ...real, requireWhole };
});
afterEach(() => void (afterwards = undefined));

const chunkOf = (bytes: Buffer) => ({ id: chunkIdOf(bytes), ...checkedChunk(chunkIdOf(bytes), bytes) });

test("blocks are whole where they were checked, and nowhere else", () => {
  const { id, bytes, checks } = chunkOf(randomBytes(5 * BLOCK_BYTES + 1));
  const blocks = bytes.subarray(2 * BLOCK_BYTES, 4 * BLOCK_BYTES);
  expect(areBlocksWhole(id, { bytes: blocks, checks }, 2 * BLOCK_BYTES)).toBe(true);
  expect(areBlocksWhole(id, { bytes: blocks, checks }, 1 * BLOCK_BYTES)).toBe(false);
  expect(areBlocksWhole(id, { bytes: bytes.subarray(5 * BLOCK_BYTES), checks }, 5 * BLOCK_BYTES)).toBe(true);
});

test("equal blocks have other checks in another place and in another chunk", () => {
  const block = randomBytes(BLOCK_BYTES);
  const one = chunkOf(Buffer.concat([block, block]));
  const other = chunkOf(Buffer.concat([block, block, block]));
  expect(one.checks.subarray(0, 4).equals(one.checks.subarray(4))).toBe(false);
  expect(one.checks.equals(other.checks.subarray(0, 8))).toBe(false);
  expect(areBlocksWhole(other.id, { bytes: block, checks: one.checks }, 0)).toBe(false);
});

test("one bit, anywhere: its block is not whole, and all others are", () => {
  const { id, bytes, checks } = chunkOf(randomBytes(4 * BLOCK_BYTES));
  for (let turn = 0; turn < 50; turn++) {
    const at = Math.floor(Math.random() * bytes.length);
    bytes[at]! ^= 1 << (turn % 8);
    const whole = [0, 1, 2, 3].map((block) => {
      const from = block * BLOCK_BYTES;
      return areBlocksWhole(id, { bytes: bytes.subarray(from, from + BLOCK_BYTES), checks }, from);
    });
    expect(whole).toEqual([0, 1, 2, 3].map((block) => block !== Math.floor(at / BLOCK_BYTES)));
    bytes[at]! ^= 1 << (turn % 8);
  }
});

test("memory flips a bit right after the name was compared: no check vouches for it", () => {
  afterwards = (bytes) => (bytes[100_000]! ^= 1);
  const { id, bytes, checks } = chunkOf(randomBytes(4 * BLOCK_BYTES));
  expect(areBlocksWhole(id, { bytes, checks }, 0)).toBe(false);
});

test("bytes of another name, and lengths that no chunk has, are refused as they were", () => {
  const { id } = chunkOf(randomBytes(100_000));
  expect(() => checkedChunk(id, randomBytes(100_000))).toThrow("do not match");
  expect(() => checkedChunk(id, Buffer.alloc(limits.chunkBytesMax + 1))).toThrow("A chunk has 1 to");
});
