/** Chunks and pages of chunks as requests name them. */
import { ChunkStoreError } from "@holdfast/core/chunk-store";
import { type ChunkId, parseChunkId } from "@holdfast/core/chunking";
import { limits } from "@holdfast/core/kernel";
import { NodeError } from "../errors.ts";

/** Throws `chunk.bad_id`. */
export function requireChunkId(text: string): ChunkId {
  const id = parseChunkId(text);
  if (id !== undefined) return id;
  throw new NodeError("chunk.bad_id", "A chunk is named by 64 lower-case hex digits, the BLAKE3 hash of its bytes.");
}

/** Throws `list.bad_page`. */
export function pageOf(query: URLSearchParams): [after: ChunkId | undefined, limit: number] {
  const after = query.get("after");
  const limit = Number(query.get("limit") ?? limits.listPageMax);
  const id = after === null ? undefined : parseChunkId(after);
  if (Number.isInteger(limit) && limit >= 1 && limit <= limits.listPageMax && (after === null || id !== undefined)) return [id, limit];
  throw new NodeError(
    "list.bad_page",
    `"after" is the last chunk id of the page before, "limit" a number from 1 to ${limits.listPageMax}.`,
  );
}

export function notFound(id: ChunkId): ChunkStoreError {
  return new ChunkStoreError("chunk.not_found", "This node does not hold the chunk.", { id });
}
