/** Range arithmetic as RFC 9110 has it (section 14). Pure. */

/** `length` bytes from `offset`; never empty, never beyond the end. */
export interface ByteRange {
  offset: number;
  length: number;
}

export type RangeRequest = { kind: "whole" } | { kind: "partial"; ranges: ByteRange[] } | { kind: "unsatisfiable" };

const WHOLE: RangeRequest = { kind: "whole" };
const SPEC = /^(?:(\d+)-(\d*)|-(\d+))$/;

/**
 * What of a file of `sizeBytes` the Range header asks for.
 *
 * One malformed or reversed range, or a unit that is not bytes, makes the whole header count for nothing. So do more ranges
 * than `rangesMax`, and ranges that together are longer than the file: they overlap, and would only multiply our work.
 */
export function parseRanges(header: string | undefined, sizeBytes: number, rangesMax: number): RangeRequest {
  const specs = header === undefined ? undefined : specsOf(header);
  if (specs === undefined || specs.length === 0 || specs.length > rangesMax) return WHOLE;

  const ranges: ByteRange[] = [];
  for (const spec of specs) {
    const range = parseSpec(spec, sizeBytes);
    if (range === "malformed") return WHOLE;
    if (range !== "outside") ranges.push(range);
  }
  if (ranges.length === 0) return { kind: "unsatisfiable" };
  return ranges.length > 1 && totalLength(ranges) > sizeBytes ? WHOLE : { kind: "partial", ranges };
}

export function totalLength(ranges: readonly ByteRange[]): number {
  return ranges.reduce((sum, range) => sum + range.length, 0);
}

/** `bytes 0-499/1234` */
export function contentRange({ offset, length }: ByteRange, sizeBytes: number): string {
  return `bytes ${offset}-${offset + length - 1}/${sizeBytes}`;
}

function specsOf(header: string): string[] | undefined {
  const [unit, set, ...rest] = header.split("=");
  if (unit!.trim().toLowerCase() !== "bytes" || set === undefined || rest.length > 0) return undefined;
  return set
    .split(",")
    .map((spec) => spec.trim())
    .filter((spec) => spec !== "");
}

function parseSpec(spec: string, sizeBytes: number): ByteRange | "malformed" | "outside" {
  const [, first, last, suffix] = SPEC.exec(spec) ?? [];
  if (suffix !== undefined) return clip(Math.max(0, sizeBytes - Number(suffix)), sizeBytes, sizeBytes);
  if (first === undefined) return "malformed";
  const end = last === "" ? Infinity : Number(last) + 1;
  return end <= Number(first) ? "malformed" : clip(Number(first), end, sizeBytes);
}

function clip(offset: number, end: number, sizeBytes: number): ByteRange | "outside" {
  return offset >= sizeBytes ? "outside" : { offset, length: Math.min(end, sizeBytes) - offset };
}
