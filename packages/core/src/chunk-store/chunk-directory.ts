/** Where the files of a file store lie: `chunks/ab/<id>.chunk`, `incoming/` for half-written ones, `quarantine/` for damaged ones. */
import { lstatSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { type ChunkId, parseChunkId } from "../chunking/index.ts";
import { chunkLength } from "./chunk-file.ts";
import { type DurableFileSystem, syncDirectory } from "./durable-write.ts";

const SUFFIX = ".chunk";
const PREFIXES = Array.from({ length: 256 }, (_, index) => index.toString(16).padStart(2, "0"));

export interface Inventory {
  chunkCount: number;
  usedBytes: number;
  /** Paths of what is not ours; never touched. */
  foreign: string[];
}

export class ChunkDirectory {
  readonly root: string;
  readonly #fileSystem: DurableFileSystem;

  constructor(root: string, fileSystem: DurableFileSystem) {
    this.root = root;
    this.#fileSystem = fileSystem;
  }

  chunkPath(id: ChunkId): string {
    return join(this.#prefixPath(id.slice(0, 2)), id + SUFFIX);
  }

  /** One per chunk: an id is written by one call at a time. */
  incomingPath(id: ChunkId): string {
    return join(this.root, "incoming", id);
  }

  quarantinePath(id: ChunkId): string {
    return join(this.root, "quarantine", id + SUFFIX);
  }

  /**
   * Makes what is missing, removes half-written files, counts the chunks.
   *
   * Each directory is synced: a name that was visible but not yet durable when the process died would otherwise be taken
   * for a chunk that is safe.
   */
  async open(): Promise<Inventory> {
    for (const directory of ["incoming", "quarantine"]) mkdirSync(join(this.root, directory), { recursive: true });
    for (const prefix of PREFIXES) mkdirSync(this.#prefixPath(prefix), { recursive: true });
    const inventory: Inventory = { chunkCount: 0, usedBytes: 0, foreign: [] };
    this.#clearIncoming(inventory);
    this.#findStrangers(inventory);
    for (const prefix of PREFIXES) {
      this.#count(prefix, inventory);
      await nextTurn(); // counting is synchronous, which is faster by far; signals still get through
    }
    const directories = [...PREFIXES.map((prefix) => this.#prefixPath(prefix)), join(this.root, "chunks"), this.root];
    await Promise.all(directories.map((directory) => syncDirectory(directory, this.#fileSystem)));
    return inventory;
  }

  /** Ids in ascending order, after `after`. */
  async *ids(after: ChunkId | undefined): AsyncGenerator<ChunkId> {
    for (const prefix of PREFIXES) {
      if (after !== undefined && prefix < after.slice(0, 2)) continue;
      const names = await readdir(this.#prefixPath(prefix));
      const ids = names.map((name) => idOfName(prefix, name)).filter((id) => id !== undefined);
      yield* ids.filter((id) => after === undefined || id > after).toSorted();
    }
  }

  #prefixPath(prefix: string): string {
    return join(this.root, "chunks", prefix);
  }

  #clearIncoming(inventory: Inventory): void {
    const directory = join(this.root, "incoming");
    for (const name of readdirSync(directory)) {
      if (parseChunkId(name)) rmSync(join(directory, name));
      else inventory.foreign.push(join(directory, name));
    }
  }

  #findStrangers(inventory: Inventory): void {
    const directory = join(this.root, "chunks");
    const strangers = readdirSync(directory).filter((name) => !PREFIXES.includes(name));
    inventory.foreign.push(...strangers.map((name) => join(directory, name)));
  }

  #count(prefix: string, inventory: Inventory): void {
    const directory = this.#prefixPath(prefix);
    for (const name of readdirSync(directory)) {
      const file = lstatSync(join(directory, name));
      if (!file.isFile() || idOfName(prefix, name) === undefined) inventory.foreign.push(join(directory, name));
      else {
        inventory.chunkCount++;
        inventory.usedBytes += chunkLength(file.size);
      }
    }
  }
}

/** Undefined for a file that is no chunk of this directory. */
function idOfName(prefix: string, name: string): ChunkId | undefined {
  if (!name.endsWith(SUFFIX) || !name.startsWith(prefix)) return undefined;
  return parseChunkId(name.slice(0, -SUFFIX.length));
}
