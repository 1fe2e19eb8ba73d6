/**
 * Small chunks put together by one request. Each of its own would cost more for its header, its MAC and its answer than for
 * its bytes.
 *
 * The request's body: the number of chunks (2 bytes), the name (32) and length (4) of each, and their bytes one after the
 * other. Its header bears the hash of all that is before the bytes in place of a chunk's id, so the header's MAC covers them.
 * The answer's body says of each, in the same order, what an answer to it alone would: kind (1), length (4), body.
 */
import { type ChunkId, chunkIdFromBytes, chunkIdOf } from "../chunking/index.ts";
import { KiB } from "../kernel/index.ts";
import { FrameError } from "./frame-error.ts";

export interface ChunkToPut {
  id: ChunkId;
  bytes: Buffer;
}

/** What became of one chunk. The body says why it was refused, as JSON. */
export type PutOutcome = { kind: "stored" | "held" } | { kind: "refusal"; body: Buffer };

const COUNT_BYTES = 2;
const ID_BYTES = 32;
const LINE_BYTES: number = ID_BYTES + 4;

/** Of a refusal's body. */
export const REFUSAL_BYTES_MAX: number = 64 * KiB;
/** More would make an answer too long in which all are refused. */
const BUNDLE_CHUNKS_MAX = 32;
/** Of a body. */
export const BUNDLE_BYTES_MIN: number = COUNT_BYTES + LINE_BYTES + 1;
export const BUNDLE_BYTES_MAX: number = 64 * KiB;

const outcomeKinds = ["stored", "held", "refusal"] as const;
const OUTCOME_BYTES = 5;
export const OUTCOMES_BYTES_MAX: number = BUNDLE_CHUNKS_MAX * (OUTCOME_BYTES + REFUSAL_BYTES_MAX);

/** In the order given, as many in each bundle as fit. One that is too long stands alone. */
export function intoBundles<Chunk extends ChunkToPut>(chunks: readonly Chunk[]): Chunk[][] {
  const bundles: Chunk[][] = [];
  let bytes = Infinity;
  for (const chunk of chunks) {
    const needed = LINE_BYTES + chunk.bytes.length;
    if (bytes + needed > BUNDLE_BYTES_MAX || bundles.at(-1)?.length === BUNDLE_CHUNKS_MAX) {
      bundles.push([]);
      bytes = COUNT_BYTES;
    }
    bundles.at(-1)!.push(chunk);
    bytes += needed;
  }
  return bundles;
}

/** The body of a bundle that fits, and what its header bears as id. */
export function encodeBundle(chunks: readonly ChunkToPut[]): { id: ChunkId; body: Buffer[] } {
  const list = Buffer.allocUnsafe(COUNT_BYTES + chunks.length * LINE_BYTES);
  let at = list.writeUInt16BE(chunks.length);
  for (const { id, bytes } of chunks) {
    at += list.write(id, at, "hex");
    at = list.writeUInt32BE(bytes.length, at);
  }
  return { id: chunkIdOf(list), body: [list, ...chunks.map(({ bytes }) => bytes)] };
}

/** The chunks in it, whose bytes nobody has compared with their names yet. Throws a `FrameError` for what no holder of the key has sent. */
export function openBundle(body: Buffer, id: ChunkId): ChunkToPut[] {
  const count = body.readUInt16BE();
  const listBytes = COUNT_BYTES + count * LINE_BYTES;
  if (count > BUNDLE_CHUNKS_MAX || chunkIdOf(body.subarray(0, listBytes)) !== id) throw new FrameError("a bundle not of its request");
  const chunks: ChunkToPut[] = [];
  let from = listBytes;
  for (let at = COUNT_BYTES; at < listBytes; at += LINE_BYTES) {
    const to = from + body.readUInt32BE(at + ID_BYTES);
    if (to === from || to > body.length) throw new FrameError("a bundle of chunks that are not in it");
    chunks.push({ id: chunkIdFromBytes(body.subarray(at, at + ID_BYTES)), bytes: body.subarray(from, to) });
    from = to;
  }
  if (from !== body.length) throw new FrameError("a bundle with bytes of no chunk");
  return chunks;
}

export function encodeOutcomes(outcomes: readonly PutOutcome[]): Buffer {
  return Buffer.concat(
    outcomes.flatMap((outcome) => {
      const start = Buffer.alloc(OUTCOME_BYTES);
      start[0] = outcomeKinds.indexOf(outcome.kind);
      if (outcome.kind !== "refusal") return [start];
      start.writeUInt32BE(outcome.body.length, 1);
      return [start, outcome.body];
    }),
  );
}

/** Throws a `FrameError` for what does not answer a bundle of `count` chunks. */
export function decodeOutcomes(body: Buffer, count: number): PutOutcome[] {
  const outcomes: PutOutcome[] = [];
  let at = 0;
  while (at + OUTCOME_BYTES <= body.length) {
    const kind = outcomeKinds[body[at]!];
    const from = at + OUTCOME_BYTES;
    at = from + body.readUInt32BE(at + 1);
    if (kind === undefined || at > body.length || (kind === "refusal") !== at > from) throw new FrameError("an outcome of no known kind");
    outcomes.push(kind === "refusal" ? { kind, body: body.subarray(from, at) } : { kind });
  }
  if (at !== body.length || outcomes.length !== count) throw new FrameError("an answer to another bundle");
  return outcomes;
}
