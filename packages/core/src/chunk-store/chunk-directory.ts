/**
 * Where the files of a file store lie: `chunks/ab/<id>.chunk`, `trash/ab/<id>.chunk`, `incoming/` for half-written ones,
 * `quarantine/` for damaged ones.
 */
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { rmdir } from "node:fs/promises";
import { join } from "node:path";
import { type ChunkId, parseChunkId } from "../chunking/index.ts";
import { ChunkTree } from "./chunk-tree.ts";
import { type DurableFileSystem, syncDirectory } from "./durable-write.ts";
import { codeOf } from "./system-error.ts";

/** Beside them a disk has other things of its node. */
export const CHUNK_FOLDERS = ["chunks", "trash", "incoming", "quarantine"] as const;

export interface Inventory {
  chunkCount: number;
  usedBytes: number;
  /** Paths of what is not ours; never touched. */
  foreign: string[];
}

export class ChunkDirectory {
  readonly root: string;
  readonly chunks: ChunkTree;
  readonly trash: ChunkTree;
  readonly #fileSystem: DurableFileSystem;

  constructor(root: string, fileSystem: DurableFileSystem) {
    this.root = root;
    this.chunks = new ChunkTree(join(root, "chunks"));
    this.trash = new ChunkTree(join(root, "trash"));
    this.#fileSystem = fileSystem;
  }

  /** One per chunk: an id is written by one call at a time. */
  incomingPath(id: ChunkId): string {
    return join(this.root, "incoming", id);
  }

  get quarantine(): string {
    return join(this.root, "quarantine");
  }

  /**
   * Makes what is missing, removes half-written files, counts the chunks.
   *
   * Each directory is synced: a name that was visible but not yet durable when the process died would otherwise be taken
   * for a chunk that is safe.
   */
  async open(): Promise<Inventory> {
    for (const directory of [join(this.root, "incoming"), this.quarantine]) mkdirSync(directory, { recursive: true });
    const strangers = this.#clearIncoming();
    const trash = await this.trash.open();
    const { chunkCount, chunkBytes, foreign } = await this.chunks.open();
    const directories = [...this.chunks.directories(), ...this.trash.directories(), this.root];
    await Promise.all(directories.map((directory) => syncDirectory(directory, this.#fileSystem)));
    return { chunkCount, usedBytes: chunkBytes, foreign: [...strangers, ...foreign, ...trash.foreign] };
  }

  /** Those that are empty; the others stay as they are. */
  async remove(): Promise<void> {
    const prefixes = [...this.chunks.prefixDirectories(), ...this.trash.prefixDirectories()];
    for (const directory of [...prefixes, ...CHUNK_FOLDERS.map((folder) => join(this.root, folder))]) {
      await rmdir(directory).catch((error: unknown) => {
        if (codeOf(error) !== "ENOTEMPTY") throw error;
      });
    }
    await syncDirectory(this.root, this.#fileSystem);
  }

  /** Returns what is not ours. */
  #clearIncoming(): string[] {
    const directory = join(this.root, "incoming");
    const names = readdirSync(directory);
    for (const name of names.filter(parseChunkId)) rmSync(join(directory, name));
    return names.filter((name) => !parseChunkId(name)).map((name) => join(directory, name));
  }
}
