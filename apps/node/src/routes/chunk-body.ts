import type { IncomingMessage } from "node:http";
import { ChunkStoreError } from "@holdfast/core/chunk-store";
import { limits } from "@holdfast/core/kernel";
import { NodeError } from "../errors.ts";

/** Throws `chunk.length_required` or `chunk.bad_length`, before a byte of the body is read. */
export function declaredLength({ headers }: IncomingMessage): number {
  const { "content-length": text } = headers;
  if (text === undefined) throw new NodeError("chunk.length_required", "Send the chunk with its Content-Length.");
  const length = Number(text);
  if (length >= 1 && length <= limits.chunkBytesMax) return length;
  throw new ChunkStoreError("chunk.bad_length", `A chunk has 1 to ${limits.chunkBytesMax} bytes, not ${text}.`);
}

/** Fills `body`, which is as long as the request said. Rejects when the client leaves before the end. */
export async function readBody(req: IncomingMessage, body: Buffer): Promise<void> {
  let filled = 0;
  for await (const part of req as AsyncIterable<Buffer>) filled += part.copy(body, filled);
}
