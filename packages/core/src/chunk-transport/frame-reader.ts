import { KiB } from "../kernel/index.ts";

export interface FrameReceiver {
  readonly headerBytes: number;
  /**
   * Says where the frame's body goes: an empty buffer when it has none, undefined when its memory comes later by `provide`.
   * The header is only lent. Throws to end the session.
   */
  header(header: Buffer): Buffer | undefined;
  /** The body last asked for is whole; called for empty ones, too. */
  body(): void;
}

/** Enough for some small chunks in one read; of a large one, this much is copied and the rest received in place. */
const SCRATCH_BYTES = 64 * KiB;

/**
 * Cuts what a socket receives into frames, without a stream between: the kernel writes a body straight to where it is wanted.
 *
 * The place of the next read is given away before anybody knows what will come, so headers are read into scratch memory,
 * with whatever follows them, and only what is then still missing of a body is read in place.
 */
export class FrameReader {
  readonly #receiver: FrameReceiver;
  /** With a byte to spare: a place is never empty, or the socket would fail. */
  readonly #scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES + 1);
  /** What of the scratch memory has been read and not yet understood. */
  #from = 0;
  #to = 0;
  #body: Buffer | undefined;
  #filled = 0;
  #awaitsMemory = false;
  #held = false;
  #ignored = false;

  constructor(receiver: FrameReceiver) {
    this.#receiver = receiver;
  }

  /** Where the next read goes. */
  place(): Buffer {
    if (this.#body !== undefined && this.#to === this.#from) return this.#body.subarray(this.#filled);
    return this.#scratch.subarray(this.#to, Math.max(SCRATCH_BYTES, this.#to + 1));
  }

  /** `count` bytes have come to `place`, which was the place when they were asked for. False when no more is wanted now. */
  received(count: number, place: Uint8Array): boolean {
    if (this.#ignored) return true;
    if (place.buffer === this.#scratch.buffer) {
      const start = place.byteOffset - this.#scratch.byteOffset;
      if (start !== this.#to) this.#scratch.copyWithin(this.#to, start, start + count);
      this.#to += count;
    } else {
      this.#filled += count;
    }
    return this.#proceed();
  }

  /** The memory that `header` could not give. True when reading goes on. */
  provide(body: Buffer): boolean {
    this.#awaitsMemory = false;
    this.#begin(body);
    return this.#proceed();
  }

  /** Finishes the frame that has begun and looks at no other one. */
  hold(): void {
    this.#held = true;
  }

  /** Undoes `hold`. True when reading goes on. */
  goOn(): boolean {
    this.#held = false;
    return this.#proceed();
  }

  /** Between frames: whatever else comes is nobody's. */
  ignore(): void {
    this.#ignored = true;
  }

  #proceed(): boolean {
    while (this.#step());
    this.#scratch.copyWithin(0, this.#from, this.#to);
    this.#to -= this.#from;
    this.#from = 0;
    return !this.#awaitsMemory && (!this.#held || this.#body !== undefined);
  }

  /** False when there is nothing to do before more has come. */
  #step(): boolean {
    if (this.#body !== undefined) return this.#fill(this.#body);
    const end = this.#from + this.#receiver.headerBytes;
    if (this.#awaitsMemory || this.#held || end > this.#to) return false;
    const header = this.#scratch.subarray(this.#from, end);
    this.#from = end;
    const body = this.#receiver.header(header);
    if (body === undefined) this.#awaitsMemory = true;
    else this.#begin(body);
    return true;
  }

  #begin(body: Buffer): void {
    this.#body = body;
    this.#filled = 0;
  }

  #fill(body: Buffer): boolean {
    const count = this.#scratch.copy(body, this.#filled, this.#from, this.#to);
    this.#from += count;
    this.#filled += count;
    if (this.#filled < body.length) return false;
    this.#body = undefined;
    this.#receiver.body();
    return true;
  }
}
