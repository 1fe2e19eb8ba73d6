/** The pseudo-random numbers that every process computes alike. Changing one of them moves every chunk of every cluster. */
import type { ChunkId } from "../chunking/index.ts";

/** 64 bits of a chunk's name; they are as good as random, being a hash. Unsigned. */
export interface ChunkDraw {
  high: number;
  low: number;
}

export function drawOf(chunkId: ChunkId): ChunkDraw {
  return { high: Number.parseInt(chunkId.slice(0, 8), 16), low: Number.parseInt(chunkId.slice(8, 16), 16) };
}

/** What a node adds to its draws. 32 bits. */
export function seedOf(nodeId: number): number {
  return Math.imul(nodeId, 0x9e3779b1);
}

/** What a node draws for the two halves of a chunk's draw: anything from 0 to 2^32 - 1, independent of what the others draw. */
export function nodeDraw(high: number, low: number, seed: number): number {
  return mix(mix(high ^ seed) ^ low);
}

/** Murmur3's finaliser: every bit of the input changes half the bits of the output. Unsigned. */
export function mix(value: number): number {
  let bits = value;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
