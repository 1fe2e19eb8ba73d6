import { chunkIdOf } from "../../chunking/index.ts";
import { viewFor } from "../buffers.ts";
import type { DiskHealth } from "../disk-health.ts";
import type { LocatedEvent } from "./chunk-index.ts";
import { chunkAt } from "./layout.ts";
import type { Segment } from "./segment.ts";

/** The chunk of a record, or undefined when one single bit is not as it was written, or the disk cannot read it. */
export async function readChunk(
  segment: Segment,
  { id, offset, length }: LocatedEvent,
  health: DiskHealth,
  into?: Buffer,
): Promise<Buffer | undefined> {
  const bytes = viewFor(length, into);
  try {
    const count = await segment.open((file) => file.read(bytes, chunkAt(offset, length)));
    return count === length && chunkIdOf(bytes) === id ? bytes : undefined;
  } catch (error) {
    health.noteFailedRead(error);
    return undefined;
  }
}
