/** The copies as they lie on the disks, looked at past every process, and damaged there. */
import { closeSync, copyFileSync, existsSync, openSync, readFileSync, readSync, rmSync, statSync, truncateSync, writeSync } from "node:fs";
import { join } from "node:path";
import { type ChunkId, chunkIdOf } from "@holdfast/core/chunking";

/** The identity stays: what comes back is the same node with an empty disk, which nobody has told that it is one. */
const NODE_CHUNK_FOLDERS = ["chunks", "quarantine", "trash"];

export class NodeDisk {
  readonly name: string;
  readonly #directory: string;

  constructor(name: string, directory: string) {
    this.name = name;
    this.#directory = directory;
  }

  path(id: ChunkId): string {
    return join(this.#directory, "chunks", id.slice(0, 2), `${id}.chunk`);
  }

  hasName(id: ChunkId): boolean {
    return existsSync(this.path(id));
  }

  /** Read here, by our own eyes: the bytes at the file's end hash to its name. */
  holdsWhole(id: ChunkId, length: number): boolean {
    const path = this.path(id);
    if (!existsSync(path)) return false;
    const file = readFileSync(path);
    return file.length > length && chunkIdOf(file.subarray(file.length - length)) === id;
  }

  flipBit(id: ChunkId, share: number): void {
    const path = this.path(id);
    const at = Math.floor(statSync(path).size * share);
    const fd = openSync(path, "r+");
    const byte = Buffer.alloc(1);
    readSync(fd, byte, 0, 1, at);
    writeSync(fd, Buffer.from([byte[0]! ^ 1]), 0, 1, at);
    closeSync(fd);
  }

  truncate(id: ChunkId, share: number): void {
    const path = this.path(id);
    truncateSync(path, Math.floor(statSync(path).size * share));
  }

  /** A sound chunk under a wrong name: only its hash can tell. */
  overwriteWith(id: ChunkId, other: ChunkId): void {
    copyFileSync(this.path(other), this.path(id));
  }

  /** Its process must not run. */
  wipe(): void {
    for (const folder of NODE_CHUNK_FOLDERS) rmSync(join(this.#directory, folder), { recursive: true, force: true });
  }
}
