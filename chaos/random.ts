/** Chance that can be had again: the same seed makes the same choices in the same order. */
import { createHash } from "node:crypto";

export interface Random {
  /** From 0, below 1. */
  next(): number;
  /** A whole number from `min` to `max`, both included. */
  integer(min: number, max: number): number;
  chance(probability: number): boolean;
  pick<T>(items: readonly T[]): T;
  /** The same items in another order. */
  shuffled<T>(items: readonly T[]): T[];
  /** Another source, whose choices depend on the seed and the name alone, and not on how far this one has come. */
  fork(name: string): Random;
}

export function createRandom(seed: string): Random {
  let state = createHash("sha256").update(seed).digest().readUInt32LE();
  /** Mulberry32: small, quick, and far more even than anything here can tell. */
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const integer = (min: number, max: number): number => min + Math.floor(next() * (max - min + 1));
  return {
    next,
    integer,
    chance: (probability) => next() < probability,
    pick: (items) => items[integer(0, items.length - 1)]!,
    shuffled(items) {
      const rest = [...items];
      return items.map(() => rest.splice(integer(0, rest.length - 1), 1)[0]!);
    },
    fork: (name) => createRandom(`${seed}/${name}`),
  };
}
