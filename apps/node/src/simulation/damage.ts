import { open } from "node:fs/promises";

/**
 * Flips one bit in each file, in all or in none. Returns what flips them back.
 *
 * The files are kept open meanwhile: what is flipped back is the very file that was damaged, wherever it was moved to, and
 * never the good copy that may have taken its place.
 */
export async function damageFiles(paths: readonly string[]): Promise<() => Promise<void>> {
  const undo = new AsyncDisposableStack();
  try {
    for (const path of paths) undo.defer(await damageFile(path));
    return () => undo.disposeAsync();
  } catch (error) {
    await undo.disposeAsync();
    throw error;
  }
}

async function damageFile(path: string): Promise<() => Promise<void>> {
  const file = await open(path, "r+");
  const { size } = await file.stat();
  const flip = async (): Promise<void> => {
    const byte = Buffer.alloc(1);
    await file.read(byte, 0, 1, size - 1); // the last byte is always one of the chunk's own
    byte[0]! ^= 1;
    await file.write(byte, 0, 1, size - 1);
  };
  await flip();
  return async () => {
    await flip();
    await file.close();
  };
}
