import { Marks } from "./marks.ts";
import type { OpenFiles } from "./open-files.ts";
import type { PlacedFile } from "./placed-file.ts";
import type { SegmentHeader } from "./segment-header.ts";
import { Uses } from "./uses.ts";

export const SEGMENT_SUFFIX = ".seg";
export const MARKS_SUFFIX = ".marks";

/** One file of records with its marks, for the time of one generation. */
export class Segment {
  readonly number: number;
  readonly sizeBytes: number;
  readonly generation: Buffer;
  /** Without the suffix of any of its files. */
  readonly #path: string;
  readonly #files: OpenFiles;
  readonly marks: Marks;
  /** Records are still appended to it. */
  isFilling = true;
  /** A chunk in it was found damaged. */
  isDamaged = false;
  /** Reads and marks under way: as long there are any, the segment is not given to other records. */
  readonly uses: Uses = new Uses();

  constructor(path: string, { number, sizeBytes, generation }: SegmentHeader, files: OpenFiles) {
    this.#path = path;
    this.number = number;
    this.sizeBytes = sizeBytes;
    this.generation = generation;
    this.#files = files;
    this.marks = new Marks(this.marksPath, generation, files);
  }

  /** The same file in its next generation. */
  renewed(header: SegmentHeader): Segment {
    return new Segment(this.#path, header, this.#files);
  }

  get path(): string {
    return this.#path + SEGMENT_SUFFIX;
  }

  get marksPath(): string {
    return this.#path + MARKS_SUFFIX;
  }

  /** Runs `work` on the file of records. */
  open<T>(work: (file: PlacedFile) => Promise<T>): Promise<T> {
    return this.uses.run(() => this.#files.use(this.path, work));
  }
}
