import { open } from "node:fs/promises";
import type { ChunkPlace } from "@holdfast/core/chunk-store";

/** How much of a damaged place is compared before it is mended. */
const WITNESS_BYTES = 64;

/**
 * Flips one bit in each place, in all or in none. Returns what flips them back.
 *
 * The files are kept open meanwhile: what is flipped back is in the very file that was damaged, wherever it was moved to,
 * and never in the good copy that may have taken its place. A store may also have given the place itself to another chunk:
 * it is left alone unless it still holds what the damage left.
 */
export async function damagePlaces(places: readonly ChunkPlace[]): Promise<() => Promise<void>> {
  const undo = new AsyncDisposableStack();
  try {
    for (const place of places) undo.defer(await damage(place));
    return () => undo.disposeAsync();
  } catch (error) {
    await undo.disposeAsync();
    throw error;
  }
}

async function damage({ path, offset, length }: ChunkPlace): Promise<() => Promise<void>> {
  const file = await open(path, "r+");
  const witnessLength = Math.min(length, WITNESS_BYTES);
  const witnessAt = offset + length - witnessLength;
  const read = async (): Promise<Buffer> => (await file.read(Buffer.alloc(witnessLength), 0, witnessLength, witnessAt)).buffer;
  const good = await read();
  const bad = Buffer.from(good);
  bad[bad.length - 1]! ^= 1;
  await file.write(bad, 0, bad.length, witnessAt);
  return async () => {
    if ((await read()).equals(bad)) await file.write(good, 0, good.length, witnessAt);
    await file.close();
  };
}
