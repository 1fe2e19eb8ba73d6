/**
 * superjson's format, written quickly: what turns an answer into JSON, with the dates among it named beside it.
 *
 * superjson tries all its rules on every value, and keeps the way to each. For a page of a large folder that took more time
 * than all else together. Our answers are records, lists, text, numbers and dates: those are written here. Whatever else turns
 * up (a Map, NaN, one object in two places) leaves the whole answer to superjson, so that there is one format and nobody has
 * to know which of the two wrote it.
 */
import type { TRPCDataTransformer } from "@trpc/server";

/** What superjson writes: `values` holds the type of each value that JSON has no type for, by its place. */
interface Wire {
  json: unknown;
  meta?: { values: Record<string, readonly [string]>; v: 1 };
}

const DATE = ["Date"] as const;
const UNDEFINED = ["undefined"] as const;

/** Writes what `superjson` would, and reads with it. */
export function quickTransformer(superjson: TRPCDataTransformer): TRPCDataTransformer {
  return {
    serialize: (value: unknown): unknown => quickWire(value) ?? superjson.serialize(value),
    deserialize: (wire: unknown): unknown => superjson.deserialize(wire),
  };
}

/** Undefined when there is something in it that is not ours to write. */
function quickWire(value: unknown): Wire | undefined {
  if (!Array.isArray(value) && !isRecord(value)) return undefined; // a type at the top has no place to be named by
  const writer = new WireWriter();
  const json = writer.ofObject(value);
  return writer.isComplete ? { json, ...(writer.hasTypes && { meta: { values: writer.types, v: 1 } }) } : undefined;
}

/** Copies only what it must change: JSON is made of the result at once. */
class WireWriter {
  readonly types: Record<string, readonly [string]> = {};
  hasTypes = false;
  isComplete = true;
  /** superjson notes where one object is met twice. It also ends a circle. */
  readonly #met = new Set<object>();

  /** Without a place: the answer itself. */
  ofObject(value: object, place?: string): unknown {
    if (this.#met.has(value)) return this.#giveUp();
    this.#met.add(value);
    const prefix = place === undefined ? "" : `${place}.`;
    if (Array.isArray(value)) return value.map((item, index) => this.#of(item, `${prefix}${index}`));
    if (place !== undefined && value instanceof Date) return this.#ofDate(value, place);
    return isRecord(value) ? this.#ofRecord(value, prefix) : this.#giveUp();
  }

  #of(value: unknown, place: string): unknown {
    switch (typeof value) {
      case "string":
      case "boolean":
        return value;
      case "number":
        return Number.isFinite(value) && !Object.is(value, -0) ? value : this.#giveUp();
      case "undefined":
        return this.#typed(UNDEFINED, place, null);
      case "object":
        return value === null ? null : this.ofObject(value, place);
      default:
        return this.#giveUp();
    }
  }

  #ofDate(date: Date, place: string): unknown {
    return Number.isNaN(date.getTime()) ? this.#giveUp() : this.#typed(DATE, place, date.toISOString());
  }

  #ofRecord(record: Record<string, unknown>, prefix: string): unknown {
    let written = record;
    for (const key of Object.keys(record)) {
      if (HOSTILE_KEYS.has(key)) return this.#giveUp();
      const value = record[key];
      if (typeof value === "string") continue; // most are, and need no place
      const json = this.#of(value, prefix + escaped(key));
      if (json === value) continue;
      if (written === record) written = { ...record };
      written[key] = json;
    }
    return written;
  }

  #typed(type: readonly [string], place: string, json: string | null): string | null {
    this.types[place] = type;
    this.hasTypes = true;
    return json;
  }

  #giveUp(): undefined {
    this.isComplete = false;
  }
}

/** superjson refuses these, and is left to. */
const HOSTILE_KEYS = new Set(["__proto__", "constructor", "prototype"]);

/** A place is keys with dots between them. */
function escaped(key: string): string {
  return key.includes(".") || key.includes("\\") ? key.replaceAll(/[\\.]/g, String.raw`\$&`) : key;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
