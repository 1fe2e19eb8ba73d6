import type { ChunkId } from "../../chunking/index.ts";
import type { ChunkEvent } from "./chunk-event.ts";
import { IdTable, type TableEntry } from "./id-table.ts";
import { recordBytes } from "./layout.ts";

/** An event and the segment that its offset means. */
export interface LocatedEvent extends ChunkEvent {
  segment: number;
}

const STATES = ["held", "trashed", "lost"] as const;

/** What the store knows of every chunk: the last event of each, but for those that are deleted, and the sums of it. */
export class ChunkIndex {
  readonly #tables = {
    held: new IdTable({ keepsTimes: false }),
    trashed: new IdTable({ keepsTimes: true }),
    lost: new IdTable({ keepsTimes: true }),
  };
  readonly #liveBytes = new Map<number, number>();
  #usedBytes = 0;

  /** Held chunks. */
  get chunkCount(): number {
    return this.#tables.held.count;
  }

  /** Sum of their lengths. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** What the records of a segment take that are held or in the trash. */
  liveBytes(segment: number): number {
    return this.#liveBytes.get(segment) ?? 0;
  }

  /** Undefined for a chunk that is deleted or was never here. */
  find(id: ChunkId): LocatedEvent | undefined {
    for (const state of STATES) {
      const entry = this.#tables[state].get(id);
      if (entry !== undefined) return { state, id, ...entry };
    }
    return undefined;
  }

  held(id: ChunkId): LocatedEvent | undefined {
    const entry = this.#tables.held.get(id);
    return entry && { state: "held", id, ...entry };
  }

  /** Whatever was true of the chunk before, this is now. Returns what was. */
  apply(event: LocatedEvent): LocatedEvent | undefined {
    const before = this.find(event.id);
    if (before !== undefined) {
      this.#count(before, -1);
      if (before.state !== event.state) this.#tables[before.state as (typeof STATES)[number]].delete(event.id);
    }
    if (event.state === "deleted") return before;
    this.#tables[event.state].set(event.id, event);
    this.#count(event, 1);
    return before;
  }

  /** In ascending order of id, after `after` (exclusive), at most `limit`. */
  page(state: (typeof STATES)[number], after: ChunkId | undefined, limit: number): ({ id: ChunkId } & TableEntry)[] {
    const page: ({ id: ChunkId } & TableEntry)[] = [];
    if (limit <= 0) return page;
    for (const [id, entry] of this.#tables[state].entries(after)) {
      page.push({ id, ...entry });
      if (page.length >= limit) break;
    }
    return page;
  }

  /** Lost chunks whose loss the segment remembers. They are few. */
  lostIn(segment: number): LocatedEvent[] {
    return this.#in(segment, "lost");
  }

  /** What is held or in the trash in the segment. Looks at every chunk there is. */
  liveIn(segment: number): LocatedEvent[] {
    return [...this.#in(segment, "held"), ...this.#in(segment, "trashed")];
  }

  /** At most `limit` of what has been in the trash since `atMs` or longer. */
  trashedBefore(atMs: number, limit: number): ChunkId[] {
    const ids: ChunkId[] = [];
    for (const [id, entry] of this.#tables.trashed.entries(undefined)) {
      if (ids.length >= limit) break;
      if (entry.atMs <= atMs) ids.push(id);
    }
    return ids;
  }

  #in(segment: number, state: (typeof STATES)[number]): LocatedEvent[] {
    const found: LocatedEvent[] = [];
    for (const [id, entry] of this.#tables[state].entries(undefined)) if (entry.segment === segment) found.push({ state, id, ...entry });
    return found;
  }

  #count({ state, segment, length }: LocatedEvent, sign: 1 | -1): void {
    if (state === "lost") return;
    this.#liveBytes.set(segment, this.liveBytes(segment) + sign * recordBytes(length));
    if (state === "held") this.#usedBytes += sign * length;
  }
}
