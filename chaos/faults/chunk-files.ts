/** The copies as they lie on the disks, looked at past every process, and damaged there. */
import {
  closeSync,
  copyFileSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from "node:fs";
import { basename, join } from "node:path";
import { type ChunkId, chunkIdOf } from "@holdfast/core/chunking";

const CHUNK_FILE = /^([0-9a-f]{64})\.chunk$/;

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

  /** Of the chunks that it holds, whole or not. */
  ids(): ChunkId[] {
    const files = readdirSync(join(this.#directory, "chunks"), { recursive: true, encoding: "utf8" });
    return files.map((file) => CHUNK_FILE.exec(basename(file))?.[1]).filter((id) => id !== undefined) as ChunkId[];
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

  /**
   * Its process must not run. What lies beside the folders stays, the identity before all: what comes back is the same node
   * with an empty disk, which nobody has told that it is one.
   */
  wipe(): void {
    for (const entry of readdirSync(this.#directory, { withFileTypes: true })) {
      if (entry.isDirectory()) rmSync(join(this.#directory, entry.name), { recursive: true, force: true });
    }
  }
}
