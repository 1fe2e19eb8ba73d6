import type { PlacedFile, SegmentFileSystem } from "./placed-file.ts";

interface Opened {
  file: Promise<PlacedFile>;
  users: number;
}

/** Files kept open between uses, the longest unused closed first: a store of a thousand segments has not a thousand open. */
export class OpenFiles {
  readonly #fileSystem: SegmentFileSystem;
  readonly #filesMax: number;
  /** In the order of their last use. */
  readonly #opened = new Map<string, Opened>();

  constructor(fileSystem: SegmentFileSystem, filesMax: number) {
    this.#fileSystem = fileSystem;
    this.#filesMax = filesMax;
  }

  /** Runs `work` on the file at `path`, which stays open as long; `create` makes it when it is not there. */
  async use<T>(path: string, work: (file: PlacedFile) => Promise<T>, options: { create?: boolean } = {}): Promise<T> {
    const opened = this.#opened.get(path) ?? { file: this.#fileSystem.open(path, options), users: 0 };
    this.#opened.delete(path);
    this.#opened.set(path, opened);
    opened.users++;
    try {
      return await work(await opened.file);
    } catch (error) {
      if (await isUnopened(opened)) this.#opened.delete(path);
      throw error;
    } finally {
      opened.users--;
      this.#closeSurplus();
    }
  }

  /** For a file that nobody uses any more. */
  async close(path: string): Promise<void> {
    const opened = this.#opened.get(path);
    this.#opened.delete(path);
    if (opened !== undefined) await (await opened.file).close();
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.#opened.keys()].map((path) => this.close(path)));
  }

  #closeSurplus(): void {
    for (const [path, opened] of this.#opened) {
      if (this.#opened.size <= this.#filesMax) return;
      if (opened.users === 0) void this.close(path).catch(() => undefined); // what was written to it is synced or need not be
    }
  }
}

async function isUnopened({ file }: Opened): Promise<boolean> {
  return file.then(
    () => false,
    () => true,
  );
}
