import { stat, unlink } from "node:fs/promises";
import type { ChunkId } from "../chunking/index.ts";
import type { Clock } from "../kernel/index.ts";
import { chunkLength } from "./chunk-file.ts";
import type { TrashedChunk } from "./chunk-trash.ts";
import type { ChunkTree } from "./chunk-tree.ts";
import type { DiskHealth } from "./disk-health.ts";
import { unlessMissing } from "./system-error.ts";

/** The trash of a file store: since when a file is in it, its change time says. */
export class FileTrash {
  readonly tree: ChunkTree;
  readonly #health: DiskHealth;
  readonly #clock: Clock;

  constructor(tree: ChunkTree, health: DiskHealth, clock: Clock) {
    this.tree = tree;
    this.#health = health;
    this.#clock = clock;
  }

  async find(id: ChunkId): Promise<TrashedChunk | undefined> {
    const file = await unlessMissing(stat(this.tree.path(id)));
    return file && { id, length: chunkLength(file.size), trashedAt: Math.floor(file.ctimeMs) };
  }

  /** Its length, or undefined when it stays. */
  async purge(id: ChunkId, olderThanMs: number): Promise<number | undefined> {
    const trashed = await this.find(id);
    if (trashed === undefined || this.#clock.now().getTime() - trashed.trashedAt < olderThanMs) return undefined;
    await unlink(this.tree.path(id)).catch((error: unknown) => this.#health.refuse(error));
    return trashed.length;
  }
}
