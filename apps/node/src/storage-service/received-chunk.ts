import { ChunkStoreError, requireLength } from "@holdfast/core/chunk-store";
import type { ChunkId } from "@holdfast/core/chunking";
import type { PutChunkRequest } from "@holdfast/core/protocol";
import { NodeError } from "../errors.ts";
import { requireChunkId } from "../routes/chunk-names.ts";

/**
 * Joins the messages of a PutChunk in `into`, which has room for the longest chunk. Reads no further than the first message
 * that is wrong. Throws `command.invalid`, `chunk.bad_id`, `chunk.bad_length`, `chunk.mismatch`.
 */
export async function receiveChunk(requests: AsyncIterable<PutChunkRequest>, into: Buffer): Promise<{ id: ChunkId; bytes: Buffer }> {
  let header: { id: ChunkId; length: number } | undefined;
  let filled = 0;
  for await (const { message } of requests) {
    if (message.case === "header" && header === undefined) {
      header = { id: requireChunkId(message.value.id), length: message.value.length };
      requireLength(header.length);
    } else if (message.case === "data" && header !== undefined) {
      if (filled + message.value.length > header.length) throw wrongLength(header.length, "more");
      into.set(message.value, filled);
      filled += message.value.length;
    } else {
      throw new NodeError("command.invalid", "A PutChunk is one header, then data.");
    }
  }
  if (header === undefined) throw new NodeError("command.invalid", "A PutChunk begins with its header.");
  if (filled < header.length) throw wrongLength(header.length, "fewer");
  return { id: header.id, bytes: into.subarray(0, filled) };
}

function wrongLength(length: number, compared: "more" | "fewer"): ChunkStoreError {
  return new ChunkStoreError("chunk.mismatch", `The header promised ${length} bytes, and ${compared} came.`, { length });
}
