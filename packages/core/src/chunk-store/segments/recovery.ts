/**
 * What the segments of a directory say, put together: where each chunk is, and what became of it.
 *
 * Every segment explains itself: by its footer, or scanned where it has none, and by its marks. Of all events of one chunk
 * the last is true, wherever it stands. A record that lost against another one (a copy that compaction had just made, a
 * damaged one that was replaced) is marked deleted, durably and before anything else: it must not come back when the
 * winner's segment is used for something else.
 */
import { readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import type { ChunkId } from "../../chunking/index.ts";
import type { Logger } from "../../kernel/index.ts";
import { syncDirectory } from "../durable-write.ts";
import { aroundBadSectors } from "./bad-sectors.ts";
import { type ChunkEvent, encodeEvent } from "./chunk-event.ts";
import { ChunkIndex, type LocatedEvent } from "./chunk-index.ts";
import { readFooter } from "./footer.ts";
import { IdTable } from "./id-table.ts";
import { DATA_AT } from "./layout.ts";
import type { OpenFiles } from "./open-files.ts";
import { scanSegment } from "./scan.ts";
import { MARKS_SUFFIX, Segment, SEGMENT_SUFFIX } from "./segment.ts";
import { readHeader } from "./segment-header.ts";
import { UNFINISHED_SUFFIX } from "./segment-pool.ts";
import { SegmentWriter } from "./segment-writer.ts";
import { Sequence } from "./sequence.ts";

export interface RecoveredSegments {
  index: ChunkIndex;
  /** Those with records, by their numbers. */
  segments: Map<number, Segment>;
  spares: Segment[];
  /** Segments that the process left before it could end them. */
  unended: SegmentWriter[];
  sequence: Sequence;
  totalBytes: number;
  nextNumber: number;
  /** Paths of what is not ours, or cannot be made out; never touched. */
  foreign: string[];
}

const OUR_FILE = new RegExp(`^([0-9]{8})(\\${SEGMENT_SUFFIX}|\\${MARKS_SUFFIX}|\\${UNFINISHED_SUFFIX})$`);

export async function recoverSegments(directory: string, files: OpenFiles, logger: Logger): Promise<RecoveredSegments> {
  await syncDirectory(directory); // a name that was visible but not durable when the process died would be taken for one that is
  const recovery = new Recovery(directory, files, logger);
  const names = readdirSync(directory).toSorted();
  for (const name of names) await recovery.take(name);
  await recovery.settle();
  return recovery.result;
}

class Recovery {
  readonly result: RecoveredSegments = {
    index: new ChunkIndex(),
    segments: new Map(),
    spares: [],
    unended: [],
    sequence: new Sequence(),
    totalBytes: 0,
    nextNumber: 1,
    foreign: [],
  };
  readonly #directory: string;
  readonly #files: OpenFiles;
  readonly #logger: Logger;
  /** Chunks that a mark calls deleted: an older record of one must not revive it. */
  readonly #deleted = new IdTable({ keepsTimes: false });
  /** Records that lost against another, by their place. */
  readonly #losers = new Map<string, LocatedEvent>();

  constructor(directory: string, files: OpenFiles, logger: Logger) {
    this.#directory = directory;
    this.#files = files;
    this.#logger = logger;
  }

  async take(name: string): Promise<void> {
    const path = join(this.#directory, name);
    const [, number, suffix] = OUR_FILE.exec(name) ?? [];
    if (number === undefined || !statSync(path).isFile()) this.result.foreign.push(path);
    else if (suffix === UNFINISHED_SUFFIX) rmSync(path);
    else if (suffix === SEGMENT_SUFFIX) await this.#takeSegment(join(this.#directory, number), Number(number));
  }

  /** Marks the losers. */
  async settle(): Promise<void> {
    for (const [number, losers] of Map.groupBy(this.#losers.values(), ({ segment }) => segment)) {
      await this.result.segments.get(number)!.marks.append(losers.map((loser) => ({ ...loser, state: "deleted" })));
    }
  }

  async #takeSegment(path: string, number: number): Promise<void> {
    const { result } = this;
    result.nextNumber = Math.max(result.nextNumber, number + 1);
    const header = await this.#files.use(path + SEGMENT_SUFFIX, (file) => readHeader(aroundBadSectors(file)));
    if (header?.number !== number) {
      this.#logger.error({ segment: path }, "a segment cannot be made out any more; it is left alone, and its chunks are missing");
      result.foreign.push(path + SEGMENT_SUFFIX);
      return;
    }
    result.sequence.heed(header.born);
    result.totalBytes += header.sizeBytes;
    const segment = new Segment(path, header, this.#files);
    const ended = await segment.open((file) => readFooter(aroundBadSectors(file), segment));
    const marks = await segment.marks.read();
    segment.isFilling = ended === undefined;
    segment.isDamaged = marks.some(({ state, offset }) => state === "lost" && offset > 0);
    const records = ended ?? (await this.#scan(segment));
    if (records === undefined && marks.length === 0) {
      result.spares.push(segment);
      return;
    }
    result.segments.set(number, segment);
    for (const event of [...(records ?? []), ...marks]) this.#merge({ ...event, segment: number });
  }

  /** Undefined when nothing was ever begun in it. What is in it may be in the page cache only: the process died before its sync. */
  async #scan(segment: Segment): Promise<ChunkEvent[] | undefined> {
    const { events, endBytes } = await segment.open((file) => scanSegment(aroundBadSectors(file), segment));
    if (endBytes === DATA_AT) return undefined;
    await segment.open((file) => file.sync());
    const headers = Buffer.concat(events.map((event) => encodeEvent(event, segment.generation)));
    this.result.unended.push(new SegmentWriter(segment, this.#files, { headers, endBytes }));
    return events;
  }

  #merge(event: LocatedEvent): void {
    this.result.sequence.heed(event.sequence);
    if (event.state === "deleted") this.#losers.delete(placeOf(event));
    const known = this.#known(event.id);
    if (known === undefined) this.#accept(event);
    else if (isAtSamePlace(event, known)) {
      if (event.sequence >= known.sequence) this.#accept(event);
    } else if (event.sequence > known.sequence || (event.sequence === known.sequence && known.state === "deleted")) {
      this.#lose(known);
      this.#accept(event);
    } else this.#lose(event);
  }

  #known(id: ChunkId): LocatedEvent | undefined {
    const live = this.result.index.find(id);
    if (live !== undefined) return live;
    const deleted = this.#deleted.get(id);
    return deleted && { state: "deleted", id, ...deleted };
  }

  #accept(event: LocatedEvent): void {
    this.result.index.apply(event);
    if (event.state === "deleted") this.#deleted.set(event.id, event);
    else this.#deleted.delete(event.id);
  }

  #lose(event: LocatedEvent): void {
    if (event.state !== "deleted") this.#losers.set(placeOf(event), event);
  }
}

function placeOf({ segment, offset, id }: LocatedEvent): string {
  return `${segment}:${offset}:${id}`;
}

function isAtSamePlace(one: ChunkEvent & { segment: number }, other: LocatedEvent): boolean {
  return one.segment === other.segment && one.offset === other.offset;
}
