import { closeSync, fsyncSync, openSync, renameSync, writeSync } from "node:fs";

/** Whole or not at all, and readable by its owner alone. */
export function writeDurably(file: string, text: string): void {
  const handle = openSync(`${file}.new`, "w", 0o600);
  writeSync(handle, text);
  fsyncSync(handle);
  closeSync(handle);
  renameSync(`${file}.new`, file);
}
