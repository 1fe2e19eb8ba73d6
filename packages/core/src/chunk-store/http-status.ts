import type { ChunkStoreErrorCode } from "./errors.ts";

/** How each error travels between a node and its clients; the body repeats the code. */
export const chunkStoreStatus: Readonly<Record<ChunkStoreErrorCode, number>> = {
  "chunk.not_found": 404,
  /** Gone and not a server error: asking this node again is useless, another copy is the answer. */
  "chunk.corrupt": 410,
  "chunk.no_source": 424,
  "chunk.mismatch": 400,
  "chunk.bad_length": 413,
  "store.full": 507,
  "store.failed": 503,
  "store.stale_epoch": 409,
  "store.unreachable": 502,
  "store.unauthenticated": 401,
};

export function isChunkStoreErrorCode(code: string): code is ChunkStoreErrorCode {
  return Object.hasOwn(chunkStoreStatus, code);
}
