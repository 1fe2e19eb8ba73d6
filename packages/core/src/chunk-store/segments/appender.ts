import type { DiskHealth } from "../disk-health.ts";
import type { ChunkEvent } from "./chunk-event.ts";
import type { LocatedEvent } from "./chunk-index.ts";
import type { OpenFiles } from "./open-files.ts";
import type { Segment } from "./segment.ts";
import { SegmentWriter } from "./segment-writer.ts";
import { Uses } from "./uses.ts";

/** Appends records to one segment after the other. */
export class Appender {
  readonly #take: (chunkLength: number) => Promise<Segment>;
  readonly #files: OpenFiles;
  readonly #health: DiskHealth;
  readonly #ending = new Uses();
  #writer: SegmentWriter | undefined;
  #change: Promise<void> | undefined;

  /** `take` gets it an empty segment. Goes on with the roomiest of `begun` and ends the others. */
  constructor(
    take: (chunkLength: number) => Promise<Segment>,
    { files, health }: { files: OpenFiles; health: DiskHealth },
    begun: readonly SegmentWriter[] = [],
  ) {
    this.#take = take;
    this.#files = files;
    this.#health = health;
    const [roomiest, ...others] = begun.toSorted((one, other) => other.freeBytes - one.freeBytes);
    this.#writer = roomiest;
    for (const writer of others) void this.#ending.run(() => this.#end(writer));
  }

  /** The one that is being filled; undefined before the first append. */
  get segment(): Segment | undefined {
    return this.#writer?.segment;
  }

  get freeBytes(): number {
    return this.#writer?.freeBytes ?? 0;
  }

  hasRoomFor(chunkLength: number): boolean {
    return this.#writer?.hasRoomFor(chunkLength) ?? false;
  }

  /** Resolves when the record is durable. Rejects with `store.full` or `store.failed`. */
  async append(event: Omit<ChunkEvent, "offset">, chunk: Buffer, checks: Buffer): Promise<LocatedEvent> {
    for (;;) {
      const writer = this.#writer;
      if (writer?.hasRoomFor(chunk.length))
        return writer.append(event, chunk, checks).catch((error: unknown) => this.#health.refuse(error));
      await (this.#change ??= this.#changeSegment(chunk.length).finally(() => (this.#change = undefined)));
    }
  }

  /** Waits for what is under way. */
  async idle(): Promise<void> {
    await this.#writer?.idle();
    await this.#ending.over();
  }

  async #changeSegment(chunkLength: number): Promise<void> {
    const segment = await this.#take(chunkLength);
    const full = this.#writer;
    this.#writer = new SegmentWriter(segment, this.#files);
    if (full !== undefined) void this.#ending.run(() => this.#end(full));
  }

  /** Without a footer the segment is only slower to open. */
  async #end(writer: SegmentWriter): Promise<void> {
    try {
      await writer.end().catch((error: unknown) => this.#health.refuse(error));
    } catch {
      // the health remembers
    }
  }
}
