import type { ChunkBuffer, ChunkBuffers } from "../byte-budget/index.ts";
import { KiB, SECOND_MS } from "../kernel/index.ts";
import type { Piece } from "./extents.ts";

export interface ReadAheadOptions {
  /** Pieces fetched at once, the one being handed out included. */
  window: number;
  buffers: ChunkBuffers;
  signal: AbortSignal;
}

/** The whole chunk of a piece, in `into` if that could be. Once it rejects, or answers elsewhere, `into` may still be in use. */
export type FetchChunk = (piece: Piece, into: Buffer, signal: AbortSignal) => Promise<Buffer>;

/** Handed out at a time, and all that a reader who stands still is sure to keep. */
const SLICE_BYTES = 128 * KiB;

/** A reader who takes longer over one slice stands still. */
const STANDSTILL_MS = 1 * SECOND_MS;

/**
 * The bytes of the pieces in order, slice by slice, while the next pieces are already on their way. A slice is good until
 * the reader comes back for more; then its memory is used again.
 *
 * The piece that the reader waits for takes its turn at the memory; those ahead of it only use what is free, so under load
 * every download still moves, one piece at a time. A reader who stands still while others wait gives them its pieces, the
 * farthest ahead first, and has them fetched again when it goes on. This is why slices are copies: the socket may hold on to
 * the last one for hours, and must not hold the chunk with it.
 *
 * When the reader leaves, or anything fails, the requests under way are cancelled and their share is free for others.
 */
export async function* readAhead(
  pieces: AsyncIterator<Piece>,
  fetch: FetchChunk,
  { window, buffers, signal }: ReadAheadOptions,
): AsyncGenerator<Buffer> {
  const slice = Buffer.allocUnsafeSlow(SLICE_BYTES);
  const fetches: PieceFetch[] = [];
  const givenBack: Piece[] = [];
  const nextPiece = async (): Promise<Piece | undefined> => {
    const { value, done } = await pieces.next();
    return done ? undefined : value;
  };
  let next = await nextPiece();

  const fillWindow = async (): Promise<void> => {
    while (next !== undefined && fetches.length < window) {
      const { length } = next.chunk;
      const memory = fetches.length === 0 ? await buffers.acquire(length, signal) : buffers.tryAcquire(length);
      if (memory === undefined) return;
      fetches.push(new PieceFetch(next, memory, fetch, signal));
      next = givenBack.shift() ?? (await nextPiece());
    }
  };
  const makeWay = (): void => {
    while (buffers.contended && fetches.length > 0) {
      const { piece } = fetches.pop()!.end();
      if (next !== undefined) givenBack.unshift(next);
      next = piece;
    }
  };

  try {
    for (await fillWindow(); fetches.length > 0; await fillWindow()) {
      const current = fetches[0]!;
      const bytes = await current.copyTo(slice);
      if (current.isTaken) fetches.shift()!.end();
      const standstill = setInterval(makeWay, STANDSTILL_MS);
      try {
        yield slice.subarray(0, bytes);
      } finally {
        clearInterval(standstill);
      }
    }
  } finally {
    for (const unfinished of fetches) unfinished.end();
  }
}

/** A piece on its way into memory, and then out of it. */
class PieceFetch {
  /** What of it has not been taken yet. */
  piece: Piece;
  readonly #memory: ChunkBuffer;
  readonly #whole: Promise<Buffer>;
  readonly #ended = new AbortController();
  /** The chunk has arrived in our memory, so nobody writes there any more. */
  #landed = false;

  constructor(piece: Piece, memory: ChunkBuffer, fetch: FetchChunk, signal: AbortSignal) {
    this.piece = piece;
    this.#memory = memory;
    this.#whole = fetch(piece, memory.bytes, AbortSignal.any([signal, this.#ended.signal]));
    this.#whole.then(
      ({ buffer }) => (this.#landed = buffer === memory.bytes.buffer),
      () => undefined, // reported when its turn comes
    );
  }

  get isTaken(): boolean {
    return this.piece.from === this.piece.to;
  }

  /** Takes as many of the next bytes as `slice` holds; says how many. */
  async copyTo(slice: Buffer): Promise<number> {
    const { from, to } = this.piece;
    const copied = (await this.#whole).copy(slice, 0, from, to);
    this.piece = { ...this.piece, from: from + copied };
    return copied;
  }

  /** Cancels what is under way and gives the memory back. */
  end(): this {
    this.#ended.abort();
    this.#memory.release({ reusable: this.#landed });
    return this;
  }
}
