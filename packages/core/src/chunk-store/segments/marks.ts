/**
 * What happened to a segment's chunks after they were written: events one after the other in a file beside it.
 *
 * Only ever appended to. Each mark is checked by itself: half a mark at the end, or a damaged one in the middle, is no mark,
 * and those of an earlier generation are none of ours.
 */
import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import { syncDirectory } from "../durable-write.ts";
import { unlessMissing } from "../system-error.ts";
import { aroundBadSectors } from "./bad-sectors.ts";
import { type ChunkEvent, decodeEvent, encodeEvent } from "./chunk-event.ts";
import { GroupCommit } from "./group-commit.ts";
import { EVENT_BYTES } from "./layout.ts";
import type { OpenFiles } from "./open-files.ts";

export class Marks {
  readonly #path: string;
  readonly #generation: Buffer;
  readonly #files: OpenFiles;
  readonly #commit: GroupCommit;
  #begun: Promise<void> | undefined;
  #endBytes = 0;
  #unsynced = false;

  constructor(path: string, generation: Buffer, files: OpenFiles) {
    this.#path = path;
    this.#generation = generation;
    this.#files = files;
    this.#commit = new GroupCommit(files, path);
  }

  /** Resolves when the marks are durable, or with `durable: false` when the kernel has them. */
  async append(events: readonly ChunkEvent[], { durable = true } = {}): Promise<void> {
    await (this.#begun ??= this.#begin());
    const marks = events.map((event) => encodeEvent(event, this.#generation));
    const position = this.#endBytes;
    this.#endBytes += marks.length * EVENT_BYTES;
    if (!durable) this.#unsynced = true;
    await this.#commit.write(marks, position, { durable });
  }

  /** Makes durable what was appended without. */
  async sync(): Promise<void> {
    if (!this.#unsynced) return;
    this.#unsynced = false;
    await this.#commit.write([], this.#endBytes);
  }

  /** The marks made so far, oldest first. */
  async read(): Promise<ChunkEvent[]> {
    const sizeBytes = await this.#sizeBytes();
    if (sizeBytes === 0) return [];
    const bytes = Buffer.alloc(sizeBytes);
    await this.#files.use(this.#path, async (file) => {
      await aroundBadSectors(file).read(bytes, 0);
      await file.sync(); // they may be in the page cache only: the process died before its sync
    });
    const events: ChunkEvent[] = [];
    for (let at = 0; at < bytes.length; at += EVENT_BYTES) {
      const event = decodeEvent(bytes.subarray(at), this.#generation);
      if (event !== undefined) events.push(event);
    }
    return events;
  }

  /** A name that is not durable yet would take its marks with it. */
  async #begin(): Promise<void> {
    this.#endBytes = Math.ceil((await this.#sizeBytes()) / EVENT_BYTES) * EVENT_BYTES;
    if (this.#endBytes > 0) return;
    await this.#files.use(this.#path, async () => undefined, { create: true });
    await syncDirectory(dirname(this.#path));
  }

  async #sizeBytes(): Promise<number> {
    return (await unlessMissing(stat(this.#path)))?.size ?? 0;
  }
}
