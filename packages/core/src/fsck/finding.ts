export type FindingKind =
  /** A live chunk that none of the nodes has which should. */
  | "chunk.lost"
  /** A copy that should be on a node and is not. */
  | "copy.missing"
  /** A copy on a node that the chunk's row does not name. */
  | "copy.unlisted"
  /** A chunk on a node that the database does not know. */
  | "chunk.orphan"
  /** A chunk row that contradicts itself or what refers to it. */
  | "chunk.row"
  /** A version whose extents have a gap, overlap, or do not add up. */
  | "version.extents"
  | "version.dangling"
  | "upload.offset"
  | "entry.size"
  | "entry.tree"
  | "drive.used_bytes";

/** Something that should not be so. */
export interface Finding {
  kind: FindingKind;
  /** Which row or chunk, by its id. */
  subject: string;
  /** A clause that can follow the subject. */
  message: string;
  nodeId?: number;
}

export interface Consistency {
  /** The first of each kind, `limits.fsckFindingsMax` at most. */
  findings: Finding[];
  /** How many there are of each kind. */
  counts: Partial<Record<FindingKind, number>>;
  /** What could not be looked at, and why: sentences. While there is one, nothing can be called clean. */
  unchecked: string[];
  /** What was looked at. */
  checked: { chunks: number; copies: number; versions: number; nodes: number };
}

/** Keeps what was found, within bounds. */
export class Findings {
  readonly #first: Finding[] = [];
  readonly #counts: Partial<Record<FindingKind, number>> = {};
  readonly #keptMax: number;

  constructor(keptMax: number) {
    this.#keptMax = keptMax;
  }

  add(finding: Finding): void {
    const count = (this.#counts[finding.kind] ?? 0) + 1;
    this.#counts[finding.kind] = count;
    if (count <= this.#keptMax) this.#first.push(finding);
  }

  get first(): Finding[] {
    return this.#first;
  }

  get counts(): Partial<Record<FindingKind, number>> {
    return this.#counts;
  }
}
