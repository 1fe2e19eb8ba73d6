import fc from "fast-check";
import { limits } from "../../../kernel/index.ts";
import { modelChunks } from "./chunks.ts";

/** What concerns one chunk, named by its position in `modelChunks`, as everywhere here. */
export interface Part {
  kind: "put" | "get" | "delete" | "trash" | "restore";
  chunk: number;
}

export type Operation =
  | Part
  /** No two parts concern the same chunk, so their order is of no consequence. */
  | { kind: "together"; parts: Part[]; besideCompaction: boolean }
  | { kind: "trash-many" | "restore-many"; chunks: number[] }
  | { kind: "put-bytes-of"; chunk: number; bytesOf: number }
  | { kind: "put-length"; chunk: number; length: number }
  | { kind: "get-part"; chunk: number; at: number; length: number }
  | { kind: "list" | "list-trash" | "lost"; after: number | undefined; limit: number }
  | { kind: "purge"; olderThanHours: number }
  | { kind: "wait"; hours: number }
  /** Flips a bit of a held or trashed chunk where it lies, behind the store's back. */
  | { kind: "damage"; chunk: number; at: number }
  | { kind: "reopen" | "compact" };

/** Plain objects, which print as what one would type. */
function record<T>(arbitraries: { [Key in keyof T]: fc.Arbitrary<T[Key]> }): fc.Arbitrary<T> {
  return fc.record(arbitraries, { noNullPrototype: true });
}

const chunk = fc.nat({ max: modelChunks.length - 1 });
const chunks = fc.uniqueArray(chunk, { maxLength: 8 });
const page = { after: fc.option(chunk, { nil: undefined }), limit: fc.integer({ min: 1, max: 10 }) };
const part: fc.Arbitrary<Part> = record({ kind: fc.constantFrom("put", "put", "get", "delete", "trash", "restore"), chunk });
const parts = fc.uniqueArray(part, { selector: (each) => each.chunk, minLength: 2, maxLength: 12 });
const badLength = fc.constantFrom(0, limits.chunkBytesMax + 1);

const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 30, arbitrary: part },
  { weight: 12, arbitrary: record({ kind: fc.constant("together"), parts, besideCompaction: fc.boolean() }) },
  { weight: 8, arbitrary: record({ kind: fc.constant("get-part"), chunk, at: fc.nat(), length: fc.integer({ min: 1, max: 300_000 }) }) },
  { weight: 4, arbitrary: record({ kind: fc.constantFrom("trash-many", "restore-many"), chunks }) },
  { weight: 4, arbitrary: record({ kind: fc.constantFrom("list", "list-trash", "lost"), ...page }) },
  { weight: 4, arbitrary: record({ kind: fc.constant("damage"), chunk, at: fc.nat() }) },
  { weight: 2, arbitrary: record({ kind: fc.constant("purge"), olderThanHours: fc.constantFrom(0, 1.5, 23.5) }) },
  { weight: 2, arbitrary: record({ kind: fc.constant("wait"), hours: fc.integer({ min: 1, max: 12 }) }) },
  { weight: 1, arbitrary: record({ kind: fc.constant("put-bytes-of"), chunk, bytesOf: chunk }) },
  { weight: 1, arbitrary: record({ kind: fc.constant("put-length"), chunk, length: badLength }) },
  { weight: 3, arbitrary: record({ kind: fc.constantFrom("reopen", "compact", "compact") }) },
);

/** A random life of a store. */
export function operations(lengthMax: number): fc.Arbitrary<Operation[]> {
  return fc.array(operation, { minLength: 1, maxLength: lengthMax, size: "max" });
}

/** How often the store is asked for something in that life: what comes together counts one by one. */
export function askedIn(life: readonly Operation[]): number {
  return life.reduce((asked, operation) => asked + (operation.kind === "together" ? operation.parts.length : 1), 0);
}
