/** Room for `length` bytes: a view of `into` when that is long enough, else a buffer of its own. */
export function viewFor(length: number, into: Buffer | undefined): Buffer {
  return into !== undefined && into.length >= length ? into.subarray(0, length) : Buffer.allocUnsafeSlow(length);
}

/** What is left of `parts` after their first `count` bytes. */
export function withoutFirst(parts: readonly Buffer[], count: number): Buffer[] {
  const rest: Buffer[] = [];
  let skip = count;
  for (const part of parts) {
    if (part.length > skip) rest.push(part.subarray(skip));
    skip = Math.max(0, skip - part.length);
  }
  return rest;
}
