/**
 * Writes to one file, made durable together: one sync serves all who wait for one.
 *
 * Small writes are gathered until a round begins and then written in one go; large ones are written as they come, beside a
 * sync that is under way, and are covered by the next. A sync counts only for what was written before it began. After a sync
 * that failed nothing is written here any more: the kernel may have dropped the bytes and will not say so again.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import { KiB, PAGE_BYTES } from "../../kernel/index.ts";
import { SyncError } from "../durable-write.ts";
import { ZERO_PAGE } from "./layout.ts";
import type { OpenFiles } from "./open-files.ts";
import type { PlacedFile } from "./placed-file.ts";

interface Write {
  parts: readonly Buffer[];
  position: number;
  bytes: number;
  durable: boolean;
  resolve(): void;
  reject(error: unknown): void;
}

export interface GroupCommitOptions {
  /**
   * Writes are for the places behind one another, in a file that is longer: what they leave of a page is overwritten with zeros.
   * The kernel would have to read it first.
   */
  fillsPages?: boolean;
}

const GATHERED_BYTES_MAX = 128 * KiB;

export class GroupCommit {
  readonly #files: OpenFiles;
  readonly #path: string;
  readonly #fillsPages: boolean;
  #gathered: Write[] = [];
  /** To be covered by the next sync. */
  #written: Write[] = [];
  #running = false;
  #rounds: Promise<void> = Promise.resolve();
  #failure: SyncError | undefined;

  constructor(files: OpenFiles, path: string, { fillsPages = false }: GroupCommitOptions = {}) {
    this.#files = files;
    this.#path = path;
    this.#fillsPages = fillsPages;
  }

  /** Resolves when the bytes are durable, or with `durable: false` when they have been given to the kernel. */
  write(parts: readonly Buffer[], position: number, { durable = true } = {}): Promise<void> {
    const bytes = parts.reduce((sum, part) => sum + part.length, 0);
    return new Promise((resolve, reject) => {
      const write = { parts, position, bytes, durable, resolve, reject };
      if (bytes > GATHERED_BYTES_MAX) void this.#writeAlone(write);
      else this.#gather(write);
    });
  }

  /** Resolves when no round is under way. */
  async idle(): Promise<void> {
    while (this.#running) await this.#rounds;
  }

  #gather(write: Write): void {
    this.#gathered.push(write);
    this.#begin();
  }

  async #writeAlone(write: Write): Promise<void> {
    await this.#files.use(this.#path, (file) => this.#writeRun(file, [write])).catch((error: unknown) => write.reject(error));
    this.#begin();
  }

  #begin(): void {
    if (this.#running) return;
    this.#running = true;
    this.#rounds = this.#runRounds();
  }

  async #runRounds(): Promise<void> {
    while (this.#gathered.length > 0 || this.#written.length > 0) {
      await nextTurn(); // those whom the last round answered are about to come again
      await this.#files.use(this.#path, (file) => this.#round(file)).catch((error: unknown) => this.#fail(error));
    }
    this.#running = false;
  }

  async #round(file: PlacedFile): Promise<void> {
    const gathered = this.#gathered;
    this.#gathered = [];
    for (const run of contiguous(gathered)) await this.#writeRun(file, run);
    const covered = this.#written;
    this.#written = [];
    if (covered.length === 0) return;
    await this.#sync(file).then(
      () => covered.forEach((write) => write.resolve()),
      (error: unknown) => covered.forEach((write) => write.reject(error)),
    );
  }

  async #writeRun(file: PlacedFile, run: readonly Write[]): Promise<void> {
    try {
      if (this.#failure !== undefined) throw this.#failure;
      const parts = run.flatMap(({ parts }) => parts);
      const { position, bytes } = run.at(-1)!;
      if (this.#fillsPages) parts.push(ZERO_PAGE.subarray(0, -(position + bytes) & (PAGE_BYTES - 1)));
      await file.write(parts, run[0]!.position);
    } catch (error) {
      run.forEach((write) => write.reject(error));
      return;
    }
    for (const write of run) {
      if (write.durable) this.#written.push(write);
      else write.resolve();
    }
  }

  async #sync(file: PlacedFile): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    await file.sync().catch((cause: unknown) => {
      this.#failure = new SyncError(`fsync of ${this.#path} failed`, { cause });
      throw this.#failure;
    });
  }

  /** The file could not be opened. */
  #fail(error: unknown): void {
    for (const write of [...this.#gathered, ...this.#written]) write.reject(error);
    this.#gathered = [];
    this.#written = [];
  }
}

/** Writes that follow one another on the disk, to be written in one go. */
function contiguous(writes: readonly Write[]): Write[][] {
  const runs: Write[][] = [];
  let end = -1;
  for (const write of writes) {
    if (write.position === end) runs.at(-1)!.push(write);
    else runs.push([write]);
    end = write.position + write.bytes;
  }
  return runs;
}
