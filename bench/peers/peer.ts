/** Somebody else's server, set up as its makers mean it to be used, and driven like ours. */
import { spawnSync } from "node:child_process";
import type { Door } from "../load/door.ts";

export interface Peer {
  readonly name: string;
  /** What to install, where it is absent. */
  readonly packages: string;
  /** Its name, how many copies it keeps and when it answers: without these no figure of it means anything. */
  readonly title: string;
  isInstalled(): boolean;
  /** Starts it with its data in the directory. Closing the door stops it. */
  open(directory: string): Promise<Door>;
}

export function hasCommand(...commands: string[]): boolean {
  return commands.every((command) => spawnSync("sh", ["-c", 'command -v "$0"', command]).status === 0);
}
