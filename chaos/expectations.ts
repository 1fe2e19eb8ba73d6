/** What the cluster must show, according to what it has acknowledged. */
import { type RandomFile, randomFile } from "@holdfast/cluster/testing";
import { Fact } from "./fact.ts";

/** Bytes that can be made again from their seed. */
export interface Content {
  seed: string;
  length: number;
  sha256: string;
  file: RandomFile;
}

export function makeContent(seed: string, length: number): Content {
  const file = randomFile(seed, length);
  return { seed, length, sha256: file.sha256(), file };
}

/** `gone`: deleted forever, or never made. */
export type Presence = "visible" | "trashed" | "gone";

export class ExpectedFile {
  /** Undefined as long as no answer has named it. */
  entryId: string | undefined;
  readonly name: Fact<string>;
  /** Id of the folder it is in. */
  readonly folder: Fact<string>;
  readonly presence: Fact<Presence>;
  /** The current version's. */
  readonly content: Fact<Content>;
  /** Every version that was acknowledged, the current one included. */
  readonly acked: Content[] = [];
  /** Versions whose answers were lost. */
  readonly unsure: Content[] = [];
  /** Nothing may be changed any more: an answer was lost, and a late effect must not meet another change. */
  isFrozen = false;

  constructor(name: string, folderId: string, content: Content) {
    this.name = new Fact(name);
    this.folder = new Fact(folderId);
    this.content = new Fact(content);
    this.presence = new Fact<Presence>("gone");
  }
}

export class Expectations {
  readonly files: ExpectedFile[] = [];
  readonly violations: string[] = [];
  /** Bytes that were read and compared. */
  bytesVerified = 0;
  /** Bytes that reached a reader and were not what was acknowledged. */
  wrongBytes = 0;
  readonly #onViolation: (line: string) => void;

  constructor(onViolation: (line: string) => void) {
    this.#onViolation = onViolation;
  }

  violate(line: string): void {
    this.violations.push(line);
    this.#onViolation(line);
  }
}

/** Compares bytes as they arrive with each content that they may be of. */
export class ContentCheck {
  readonly #offset: number;
  #at: number;
  #candidates: readonly Content[];

  /** `offset` is where in the file the first byte belongs. */
  constructor(candidates: Iterable<Content>, offset = 0) {
    this.#candidates = [...candidates];
    this.#offset = offset;
    this.#at = offset;
  }

  get length(): number {
    return this.#at - this.#offset;
  }

  /** The contents that agree with every byte so far. */
  get candidates(): readonly Content[] {
    return this.#candidates;
  }

  feed(part: Buffer): void {
    const end = this.#at + part.length;
    this.#candidates = this.#candidates.filter(({ file, length }) => end <= length && part.equals(file.bytes(this.#at, end)));
    this.#at = end;
  }
}
