import { readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { type ChunkId, parseChunkId } from "../chunking/index.ts";
import type { Logger } from "../kernel/index.ts";
import { CHUNK_SUFFIX } from "./chunk-tree.ts";
import type { LostChunk } from "./local-chunk-store.ts";
import { unlessMissing } from "./system-error.ts";

/** Where the damaged files of a file store go: never served again, and kept as the evidence that a chunk was lost here until it is put again. */
export class ChunkQuarantine {
  readonly #directory: string;
  readonly #logger: Logger;
  #taken = 0;

  constructor(directory: string, logger: Logger) {
    this.#directory = directory;
    this.#logger = logger;
  }

  /** Chunks found damaged since the store was opened. */
  get taken(): number {
    return this.#taken;
  }

  /** Moves the chunk's file there. False when it could not be moved. */
  async take(id: ChunkId, path: string): Promise<boolean> {
    this.#taken++;
    this.#logger.error({ chunk: id }, "a damaged chunk was set aside");
    return rename(path, this.#path(id)).then(
      () => true,
      (error: unknown) => {
        this.#logger.error({ chunk: id, err: error }, "a damaged chunk could not be moved; it is still never served");
        return false;
      },
    );
  }

  /** The chunk was put again: nothing is lost any more. */
  release(id: ChunkId): Promise<void> {
    return rm(this.#path(id), { force: true });
  }

  /** In ascending order of id, after `after`. */
  async *chunks(after: ChunkId | undefined): AsyncGenerator<LostChunk> {
    const names = await readdir(this.#directory);
    const ids = names.map((name) => parseChunkId(name.slice(0, -CHUNK_SUFFIX.length))).filter((id) => id !== undefined);
    for (const id of ids.filter((id) => after === undefined || id > after).toSorted()) {
      const file = await unlessMissing(stat(this.#path(id)));
      if (file !== undefined) yield { id, lostAt: Math.floor(file.ctimeMs) };
    }
  }

  #path(id: ChunkId): string {
    return join(this.#directory, id + CHUNK_SUFFIX);
  }
}
