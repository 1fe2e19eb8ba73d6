/**
 * The highest epoch a node ever heard, so that a leader who was replaced without noticing cannot move a thing.
 *
 * Kept in a small file, durable before the first command of a new epoch begins: a node that forgot it in a crash would obey
 * the old leader again. What removes or brings back chunks runs `under` its epoch, and a newer epoch waits for it to end:
 * otherwise the old leader's half-done work could undo what the new one has just been told is done.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ChunkStoreError, type DurableFileSystem, writeDurably } from "@holdfast/core/chunk-store";
import { EnvironmentError } from "@holdfast/core/service";
import { z } from "zod";

const FILE = "holdfast-epoch.json";

const heard = z.object({ epoch: z.int().min(0) });

export class EpochMemory {
  readonly #path: string;
  readonly #fileSystem: DurableFileSystem | undefined;
  readonly #underWay = new Set<Promise<unknown>>();
  #durable: number;
  /** On its way to the disk, and already in force. */
  #pending: { epoch: number; written: Promise<void> } | undefined;

  /** Throws an `EnvironmentError` when the file cannot be read: the node would otherwise obey anybody. */
  constructor(directory: string, fileSystem?: DurableFileSystem) {
    this.#path = join(directory, FILE);
    this.#fileSystem = fileSystem;
    this.#durable = read(this.#path);
  }

  get highest(): number {
    return this.#pending?.epoch ?? this.#durable;
  }

  /** Resolves once the epoch is remembered for good. Rejects with `store.stale_epoch`. */
  async hear(epoch: number): Promise<void> {
    this.#requireCurrent(epoch);
    if (epoch === this.#durable) return;
    if (this.#pending?.epoch !== epoch) this.#pending = { epoch, written: this.#raise(epoch) };
    await this.#pending.written;
  }

  /** Does the work of a command, which no command of a newer epoch overlaps. Rejects as `hear` does, before it begins. */
  async under<T>(epoch: number, work: () => Promise<T>): Promise<T> {
    await this.hear(epoch);
    this.#requireCurrent(epoch); // while we waited, a newer one may have come
    const done = work();
    this.#underWay.add(done);
    try {
      return await done;
    } finally {
      this.#underWay.delete(done);
    }
  }

  async #raise(epoch: number): Promise<void> {
    await Promise.allSettled([this.#pending?.written, ...this.#underWay]);
    try {
      const bytes = Buffer.from(`${JSON.stringify({ epoch })}\n`);
      await writeDurably({ temporary: `${this.#path}.new`, destination: this.#path }, [bytes], this.#fileSystem);
      this.#durable = epoch;
    } finally {
      if (this.#pending?.epoch === epoch) this.#pending = undefined; // one that could not be written was never heard
    }
  }

  #requireCurrent(epoch: number): void {
    if (epoch >= this.highest) return;
    const message = "A newer leader commands this node. Whoever sent this leads no more.";
    throw new ChunkStoreError("store.stale_epoch", message, { epoch, highest: this.highest });
  }
}

function read(path: string): number {
  if (!existsSync(path)) return 0;
  try {
    return heard.parse(JSON.parse(readFileSync(path, "utf8"))).epoch;
  } catch (cause) {
    throw new EnvironmentError(`${path} cannot be read, so this node cannot tell an old leader from the present one. Check the disk.`, {
      cause,
    });
  }
}
