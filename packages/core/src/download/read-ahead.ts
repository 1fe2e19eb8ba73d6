import type { ByteBudget, ChunkBuffer, ChunkBuffers } from "../byte-budget/index.ts";
import { KiB, SECOND_MS } from "../kernel/index.ts";
import { partOf, type Piece } from "./extents.ts";

export interface ReadAheadOptions {
  /** Pieces fetched at once, the one being handed out included. */
  window: number;
  buffers: ChunkBuffers;
  /** How much of that memory may be lent to sockets, whose readers may keep it. */
  loans: ByteBudget;
  signal: AbortSignal;
}

/**
 * The chunk of a piece, or the part of it that `partOf` names; in `into` if that could be. Once it rejects, or answers
 * elsewhere, `into` may still be in use.
 */
export type FetchPiece = (piece: Piece, into: Buffer, signal: AbortSignal) => Promise<Buffer>;

/** Handed out at a time; of what is lent, and of what is copied: all that a reader without a loan is sure to keep. */
const LENT_BYTES = 256 * KiB;
const COPIED_BYTES = 128 * KiB;

/** A reader who takes longer over one slice stands still. */
const STANDSTILL_MS = 1 * SECOND_MS;

/**
 * The bytes of the pieces in order, slice by slice, while the next pieces are already on their way. A slice is good until
 * the reader comes back for more; then its memory is used again.
 *
 * The piece that the reader waits for takes its turn at the memory; those ahead of it only use what is free, so under load
 * every download still moves, one piece at a time. A reader who stands still while others wait gives them its pieces, the
 * farthest ahead first, and has them fetched again when it goes on. But the socket may hold on to the last slice for long, and
 * with it the whole chunk if the slice is a part of that. So few are: they are lent while there are loans, and whoever gets
 * none is handed copies.
 *
 * When the reader leaves, or anything fails, the requests under way are cancelled and their share is free for others.
 */
export async function* readAhead(
  pieces: AsyncIterator<Piece>,
  fetch: FetchPiece,
  { window, buffers, loans, signal }: ReadAheadOptions,
): AsyncGenerator<Buffer> {
  let copies: Buffer | undefined;
  const fetches: PieceFetch[] = [];
  const givenBack: Piece[] = [];
  const nextPiece = async (): Promise<Piece | undefined> => {
    const { value, done } = await pieces.next();
    return done ? undefined : value;
  };
  let next = await nextPiece();

  const fillWindow = async (): Promise<void> => {
    while (next !== undefined && fetches.length < window) {
      const length = fetchedBytes(next);
      const memory = fetches.length === 0 ? await buffers.acquire(length, signal) : buffers.tryAcquire(length);
      if (memory === undefined) return;
      fetches.push(new PieceFetch(next, memory, fetch));
      next = givenBack.shift() ?? (await nextPiece());
    }
  };
  /** One ear for all pieces: signals that follow this one, each for its piece, would cost as much as asking for the pieces. */
  const leave = (): void => fetches.forEach((each) => each.cancel(signal.reason));
  const makeWay = (kept: number): void => {
    while (buffers.contended && fetches.length > kept) {
      const { piece } = fetches.pop()!.end();
      if (next !== undefined) givenBack.unshift(next);
      next = piece;
    }
  };

  signal.addEventListener("abort", leave, { once: true });
  try {
    for (await fillWindow(); fetches.length > 0; await fillWindow()) {
      const current = fetches[0]!;
      await current.arrived;
      const loan = loans.tryAcquire(current.heldBytes);
      const bytes = loan === undefined ? current.copy((copies ??= Buffer.allocUnsafeSlow(COPIED_BYTES))) : current.take(LENT_BYTES);
      if (loan === undefined && current.isTaken) fetches.shift()!.end();
      const standstill = setInterval(() => makeWay(loan === undefined ? 0 : 1), STANDSTILL_MS);
      try {
        yield bytes;
      } finally {
        clearInterval(standstill);
        loan?.();
      }
      if (loan !== undefined && current.isTaken) fetches.shift()!.end();
    }
  } finally {
    signal.removeEventListener("abort", leave);
    for (const unfinished of fetches) unfinished.end();
  }
}

function fetchedBytes(piece: Piece): number {
  const part = partOf(piece);
  return part === undefined ? piece.chunk.length : part.to - part.from;
}

/** A piece on its way into memory, and then out of it. */
class PieceFetch {
  /** What of it has not been taken yet. */
  piece: Piece;
  /** Rejects when the chunk cannot be had. */
  readonly arrived: Promise<void>;
  readonly #memory: ChunkBuffer;
  readonly #cancelled = new AbortController();
  /** Where in the chunk that begins which is fetched. */
  readonly #start: number;
  #bytes: Buffer | undefined;

  constructor(piece: Piece, memory: ChunkBuffer, fetch: FetchPiece) {
    this.piece = piece;
    this.#start = partOf(piece)?.from ?? 0;
    this.#memory = memory;
    this.arrived = this.#fetch(fetch);
    this.arrived.catch(() => undefined); // reported when its turn comes
  }

  get isTaken(): boolean {
    return this.piece.from === this.piece.to;
  }

  get heldBytes(): number {
    return this.#memory.heldBytes;
  }

  /** The next bytes, at most so many. Throws when there are none, for whoever asks again and again would never end. */
  take(bytesMax: number): Buffer {
    const { chunk, from, to } = this.piece;
    const bytes = this.#bytes!.subarray(from - this.#start, Math.min(to, from + bytesMax) - this.#start);
    if (bytes.length === 0) throw new Error(`the chunk ${chunk.id} has no byte ${from}`);
    this.piece = { ...this.piece, from: from + bytes.length };
    return bytes;
  }

  /** A copy of the next bytes, as many as `into` holds. */
  copy(into: Buffer): Buffer {
    return into.subarray(0, this.take(into.length).copy(into));
  }

  /** Nobody waits for it any more. */
  cancel(reason?: unknown): void {
    if (this.#bytes === undefined) this.#cancelled.abort(reason);
  }

  /** Cancels what is under way and gives the memory back, unless somebody may still write there. */
  end(): this {
    this.cancel();
    this.#memory.release({ reusable: this.#bytes?.buffer === this.#memory.bytes.buffer });
    return this;
  }

  async #fetch(fetch: FetchPiece): Promise<void> {
    this.#bytes = await fetch(this.piece, this.#memory.bytes, this.#cancelled.signal);
  }
}
