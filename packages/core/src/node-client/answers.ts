/** The shapes that several of a node's answers share. */
import { z } from "zod";
import { type ChunkId, parseChunkId } from "../chunking/index.ts";

export const chunkId = z.string().transform((text, check): ChunkId => parseChunkId(text) ?? notAnId(check));
export const byteCount = z.int().min(0);
export const chunkStat = z.object({ id: chunkId, length: byteCount });

function notAnId(check: z.RefinementCtx): never {
  check.addIssue("is no chunk id");
  return z.NEVER;
}
