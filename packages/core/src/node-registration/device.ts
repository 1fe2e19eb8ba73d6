import { statSync } from "node:fs";
import { hostname } from "node:os";

/** Which disk a directory is on: the machine's name and its number for that file system. Two nodes that say the same share it. */
export function diskDevice(directory: string): string {
  return `${hostname()}:${statSync(directory).dev}`;
}
