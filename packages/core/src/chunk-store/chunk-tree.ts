import { lstatSync, mkdirSync, readdirSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { type ChunkId, parseChunkId } from "../chunking/index.ts";
import { chunkLength } from "./chunk-file.ts";

export const CHUNK_SUFFIX = ".chunk";
const PREFIXES = Array.from({ length: 256 }, (_, index) => index.toString(16).padStart(2, "0"));

export interface TreeContents {
  chunkCount: number;
  /** Sum of the chunks' lengths. */
  chunkBytes: number;
  /** Paths of what is not ours; never touched. */
  foreign: string[];
}

/** Chunk files spread over 256 directories by the first two digits of their names: `<root>/ab/<id>.chunk`. */
export class ChunkTree {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  path(id: ChunkId): string {
    return join(this.directoryOf(id), id + CHUNK_SUFFIX);
  }

  /** What must be synced for a name in it to be durable. */
  directoryOf(id: ChunkId): string {
    return this.#prefixPath(id.slice(0, 2));
  }

  directories(): string[] {
    return [...this.prefixDirectories(), this.#root];
  }

  prefixDirectories(): string[] {
    return PREFIXES.map((prefix) => this.#prefixPath(prefix));
  }

  /** Makes what is missing and counts what is there. */
  async open(): Promise<TreeContents> {
    for (const prefix of PREFIXES) mkdirSync(this.#prefixPath(prefix), { recursive: true });
    const strangers = readdirSync(this.#root).filter((name) => !PREFIXES.includes(name));
    const contents: TreeContents = { chunkCount: 0, chunkBytes: 0, foreign: strangers.map((name) => join(this.#root, name)) };
    for (const prefix of PREFIXES) {
      this.#count(prefix, contents);
      await nextTurn(); // counting is synchronous, which is faster by far; signals still get through
    }
    return contents;
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

  /** What `look` finds of the first `limit` of them. Empty only where no more follow, though some may go while they are looked at. */
  async page<Item extends { id: ChunkId }>(
    after: ChunkId | undefined,
    limit: number,
    look: (id: ChunkId) => Promise<Item | undefined>,
  ): Promise<Item[]> {
    for (let from = after; ;) {
      const ids = await this.#first(from, limit);
      const page = (await Promise.all(ids.map(look))).filter((item) => item !== undefined);
      if (page.length > 0 || ids.length === 0) return page;
      from = ids.at(-1);
    }
  }

  async #first(after: ChunkId | undefined, limit: number): Promise<ChunkId[]> {
    const ids: ChunkId[] = [];
    for await (const id of this.ids(after)) {
      if (ids.length === limit) break;
      ids.push(id);
    }
    return ids;
  }

  #prefixPath(prefix: string): string {
    return join(this.#root, prefix);
  }

  #count(prefix: string, contents: TreeContents): void {
    const directory = this.#prefixPath(prefix);
    for (const name of readdirSync(directory)) {
      const file = lstatSync(join(directory, name));
      if (!file.isFile() || idOfName(prefix, name) === undefined) contents.foreign.push(join(directory, name));
      else {
        contents.chunkCount++;
        contents.chunkBytes += chunkLength(file.size);
      }
    }
  }
}

/** Undefined for a file that is no chunk of this directory. */
function idOfName(prefix: string, name: string): ChunkId | undefined {
  if (!name.endsWith(CHUNK_SUFFIX) || !name.startsWith(prefix)) return undefined;
  return parseChunkId(name.slice(0, -CHUNK_SUFFIX.length));
}
