/** The copies as they lie on the disks, looked at past every process, and damaged there. */
import { closeSync, existsSync, openSync, readdirSync, readFileSync, readSync, rmSync, statSync, truncateSync, writeSync } from "node:fs";
import { join } from "node:path";
import { type ChunkId, chunkIdOf } from "@holdfast/core/chunking";

/** Where a copy is: what was written with it, and then its bytes. */
export interface CopyPlace {
  path: string;
  beginsAt: number;
  chunkAt: number;
  /** Exclusive. */
  endsAt: number;
}

export abstract class NodeDisk {
  protected readonly directory: string;
  /** What our damage left in each place, hashed: where a header was hit, the chunk's own bytes are as they should be. */
  readonly #damaged = new Map<string, ChunkId>();

  constructor(directory: string) {
    this.directory = directory;
  }

  /** Everywhere that bytes of it may be, whole or not; of a chunk that was moved, where it was before as well. */
  protected abstract placesOf(id: ChunkId, length: number): CopyPlace[];

  /** What lies behind `at` was never written. */
  protected abstract cut(place: CopyPlace, at: number): void;

  /** Before it is asked about chunks: they come, go and move. */
  abstract look(): void;

  /** Without reading its bytes. */
  hasPlace(id: ChunkId, length: number): boolean {
    return this.placesOf(id, length).length > 0;
  }

  /** Read here, by our own eyes: some bytes hash to its name, and are not what we left of a copy. */
  holdsWhole(id: ChunkId, length: number): boolean {
    return this.placesOf(id, length).some((place) => this.#isWhole(id, place));
  }

  flipBit(id: ChunkId, length: number, share: number): void {
    this.#damage(id, length, (place) => {
      const at = within(place, share);
      const byte = readAt(place.path, at, 1);
      writeAt(place.path, at, Buffer.from([byte[0]! ^ 1]));
    });
  }

  truncate(id: ChunkId, length: number, share: number): void {
    this.#damage(id, length, (place) => this.cut(place, within(place, share)));
  }

  /** The bytes of another chunk in its place: only the hash can tell. */
  overwriteWith(id: ChunkId, length: number, other: { id: ChunkId; length: number }): void {
    const [source] = this.placesOf(other.id, other.length);
    const bytes = source && unlessGone(() => readChunk(source).subarray(0, length));
    if (bytes !== undefined) this.#damage(id, length, ({ path, chunkAt }) => writeAt(path, chunkAt, bytes));
  }

  /**
   * Its process must not run. What lies beside the folders stays, the identity before all: what comes back is the same node
   * with an empty disk, which nobody has told that it is one.
   */
  wipe(): void {
    for (const entry of readdirSync(this.directory, { withFileTypes: true })) {
      if (entry.isDirectory()) rmSync(join(this.directory, entry.name), { recursive: true, force: true });
    }
  }

  /** Wherever it is whole: which of several is the one that counts cannot be seen from here. */
  #damage(id: ChunkId, length: number, work: (place: CopyPlace) => void): void {
    for (const place of this.placesOf(id, length).filter((each) => this.#isWhole(id, each))) {
      unlessGone(() => {
        const before = hashOf(place);
        work(place);
        const after = hashOf(place);
        if (after !== before) this.#damaged.set(nameOf(place), after); // zeros over zeros are no damage
      });
    }
  }

  #isWhole(id: ChunkId, place: CopyPlace): boolean {
    return unlessGone(() => chunkIdOf(readChunk(place)) === id && this.#damaged.get(nameOf(place)) !== hashOf(place)) ?? false;
  }
}

/** A file for each chunk. */
export class FileDisk extends NodeDisk {
  look(): void {
    // the directory itself is asked each time
  }

  protected placesOf(id: ChunkId, length: number): CopyPlace[] {
    const path = join(this.directory, "chunks", id.slice(0, 2), `${id}.chunk`);
    const endsAt = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    return endsAt > length ? [{ path, beginsAt: 0, chunkAt: endsAt - length, endsAt }] : [];
  }

  protected cut({ path }: CopyPlace, at: number): void {
    truncateSync(path, at);
  }
}

/** As the segment store lays them down: a header of 64 bytes, which says of which chunk it is, and the chunk; a large one begins at a page. */
export class SegmentDisk extends NodeDisk {
  #places = new Map<string, CopyPlace[]>();

  look(): void {
    const folder = join(this.directory, "segments");
    const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(".seg")) : [];
    this.#places = new Map();
    for (const file of files) this.#lookInto(join(folder, file));
  }

  protected placesOf(id: ChunkId): CopyPlace[] {
    return this.#places.get(id) ?? [];
  }

  protected cut({ path, endsAt }: CopyPlace, at: number): void {
    writeAt(path, at, Buffer.alloc(endsAt - at));
  }

  #lookInto(path: string): void {
    const segment = unlessGone(() => readFileSync(path)) ?? Buffer.alloc(0);
    for (let at = segment.indexOf(HELD); at !== -1; at = segment.indexOf(HELD, at + 1)) {
      const length = segment.readUInt32BE(at + 8);
      const chunkAt = at + (length < LARGE_BYTES ? UNIT_BYTES : PAGE_BYTES);
      if (segment.readUInt32BE(at + 4) * UNIT_BYTES !== at || chunkAt + length > segment.length) continue; // as in a footer, or by chance
      const id = segment.toString("hex", at + 24, at + 56);
      this.#places.set(id, [...(this.#places.get(id) ?? []), { path, beginsAt: at, chunkAt, endsAt: chunkAt + length }]);
    }
  }
}

const HELD = Buffer.from("HFE\0");
const UNIT_BYTES = 64;
const PAGE_BYTES = 4_096;
const LARGE_BYTES = 65_536;

/** Its node lives, and may take a file away while we look at it. */
function unlessGone<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function nameOf({ path, beginsAt }: CopyPlace): string {
  return `${path} ${beginsAt}`;
}

function hashOf({ path, beginsAt, endsAt }: CopyPlace): ChunkId {
  return chunkIdOf(readAt(path, beginsAt, endsAt - beginsAt));
}

function within({ beginsAt, endsAt }: CopyPlace, share: number): number {
  return Math.floor(beginsAt + (endsAt - beginsAt) * share);
}

function readChunk({ path, chunkAt, endsAt }: CopyPlace): Buffer {
  return readAt(path, chunkAt, endsAt - chunkAt);
}

function readAt(path: string, at: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  const fd = openSync(path, "r");
  readSync(fd, bytes, 0, length, at);
  closeSync(fd);
  return bytes;
}

function writeAt(path: string, at: number, bytes: Buffer): void {
  const fd = openSync(path, "r+");
  writeSync(fd, bytes, 0, bytes.length, at);
  closeSync(fd);
}
