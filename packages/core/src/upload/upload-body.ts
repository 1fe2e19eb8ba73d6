import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { type BorrowedSocket, borrowSocket } from "../http-edge/index.ts";
import { KiB, SECOND_MS } from "../kernel/index.ts";

export interface UploadBodyOptions {
  /** A client that sends nothing for so long is taken for gone. */
  idleTimeoutMs: number;
  /** While so much is still to come, the connection is borrowed from HTTP. */
  borrowBytesMin: number;
  /** Aborts when another request wants the upload: what has arrived is kept, nothing more is taken. */
  leave: AbortSignal;
}

export interface HoldPolicy {
  /** After each such time the buffer is given up half full if `isContended` says so. */
  holdMs: number;
  isContended: () => boolean;
}

/** How long a client that was refused may go on sending before its connection is cut: it should get to read why. */
const LINGER_MS = 1 * SECOND_MS;
const SCRATCH_BYTES = 64 * KiB;

/**
 * A request's body, in the buffers it is given. Between two calls the socket is not read: that is the whole backpressure.
 *
 * What HTTP has read is copied from its pieces; streams and their hops would cost several times as much. While much is still
 * to come, the connection is borrowed from HTTP, and the kernel writes straight to the buffers.
 */
export class UploadBody {
  readonly #req: IncomingMessage;
  readonly #res: ServerResponse;
  readonly #idleTimeoutMs: number;
  readonly #borrowBytesMin: number;
  /** Of what the client announced; infinite when it announced nothing. */
  #unreadBytes: number;
  /** What arrived before anybody had a buffer for it: at most one piece. */
  #rest: Buffer = Buffer.alloc(0);
  #target: Buffer | undefined;
  #filled = 0;
  #ending: "complete" | "cut" | undefined;
  #idle: NodeJS.Timeout | undefined;
  #wake: () => void = () => undefined;
  #socket: BorrowedSocket | undefined;
  #isReading = false;
  /** For what is read from a borrowed connection while there is no buffer. */
  #scratch: Buffer = Buffer.alloc(0);

  constructor(req: IncomingMessage, res: ServerResponse, { idleTimeoutMs, borrowBytesMin, leave }: UploadBodyOptions) {
    this.#req = req;
    this.#res = res;
    this.#idleTimeoutMs = idleTimeoutMs;
    this.#borrowBytesMin = borrowBytesMin;
    this.#unreadBytes = Number(req.headers["content-length"] ?? Infinity);
    req.pause();
    req.on("data", (piece: Buffer) => this.#take(piece));
    req.once("end", () => this.#end("complete"));
    req.once("close", () => this.#end("cut"));
    if (req.destroyed || leave.aborted) this.#end("cut");
    leave.addEventListener("abort", () => this.#end("cut"), { once: true });
  }

  /** True when every byte that the client announced has been taken. */
  get isComplete(): boolean {
    return this.#ending === "complete";
  }

  /** How many bytes may still come. */
  get leftBytes(): number {
    return this.#unreadBytes + this.#rest.length;
  }

  /** Waits for a first byte. False when there are none any more. */
  async arrives(): Promise<boolean> {
    if (this.#rest.length === 0 && this.#ending === undefined) await this.#more();
    return this.#rest.length > 0;
  }

  /** Waits until the buffer is full, the body has ended, or the policy wants the buffer back. Returns the bytes written to it. */
  async fill(target: Buffer, policy: HoldPolicy): Promise<number> {
    this.#target = target;
    this.#filled = this.#rest.copy(target);
    this.#rest = this.#rest.subarray(this.#filled);
    this.#borrow();
    if (this.#filled < target.length && this.#ending === undefined) await this.#fillUp(policy);
    this.#target = undefined;
    if (this.#filled < target.length) this.#socket?.renewPlace(); // the rest of this buffer is somebody else's from now on
    return this.#filled;
  }

  /** Takes bytes back that could not be used: they are the next to be had. */
  giveBack(bytes: Buffer): void {
    this.#rest = Buffer.concat([bytes, this.#rest]);
  }

  /** Takes nothing more, and forgets what was not asked for yet. */
  abandon(): void {
    this.#rest = this.#rest.subarray(0, 0);
    this.#end("cut");
  }

  /** Once HTTP has the connection back, nothing more can be read from it; what is left unread then may cut the answer off. */
  get isBorrowed(): boolean {
    return this.#socket !== undefined;
  }

  /** Takes nothing more, and leaves the connection to HTTP. To be called before the request is answered. */
  close(): void {
    this.#end("cut");
    this.#socket?.giveBack();
    this.#socket = undefined;
  }

  /** Lets the client go on for a moment with what nobody wants any more. False when it still has not ended then. */
  async heardOut(): Promise<boolean> {
    const isOver = (): boolean => this.#unreadBytes === 0 || this.#req.complete || this.#req.destroyed;
    if (isOver()) return true;
    this.abandon();
    const over = new AbortController();
    const ended = new Promise<void>((resolve) => {
      this.#wake = resolve;
      this.#req.once("end", resolve);
    });
    this.#resume();
    await Promise.race([ended, delay(LINGER_MS, undefined, { signal: over.signal }).catch(() => undefined)]);
    over.abort();
    this.#pause();
    return isOver();
  }

  #borrow(): void {
    const isWorthIt = (): boolean => this.#unreadBytes >= this.#borrowBytesMin && this.#unreadBytes > 0 && this.#unreadBytes < Infinity;
    if (this.#socket !== undefined || this.#ending !== undefined || this.#rest.length > 0 || !isWorthIt()) return;
    this.#req.read(); // what HTTP has read already comes in its pieces
    if (!isWorthIt()) return;
    const reader = { place: () => this.#place(), received: (count: number, place: Uint8Array) => this.#received(count, place) };
    this.#socket = borrowSocket(this.#req, this.#res, reader);
  }

  async #fillUp({ holdMs, isContended }: HoldPolicy): Promise<void> {
    const holding = setInterval(() => {
      if (this.#filled > 0 && isContended()) this.#rouse();
    }, holdMs);
    await this.#more();
    clearInterval(holding);
  }

  async #more(): Promise<void> {
    const woken = new Promise<void>((resolve) => (this.#wake = resolve));
    this.#idle = setTimeout(() => this.#end("cut"), this.#idleTimeoutMs);
    this.#resume();
    await woken;
    clearTimeout(this.#idle);
  }

  #take(piece: Buffer): void {
    this.#unreadBytes -= piece.length;
    if (this.#ending !== undefined) return;
    this.#idle?.refresh();
    const taken = this.#target === undefined ? 0 : piece.copy(this.#target, this.#filled);
    this.#filled += taken;
    this.#rest = piece.subarray(taken);
    if (this.#target === undefined || this.#filled === this.#target.length) this.#rouse();
  }

  /** Of a borrowed connection: behind what the buffer has, but never beyond the body. */
  #place(): Buffer {
    if (this.#target !== undefined && this.#filled < this.#target.length) return this.#target.subarray(this.#filled);
    if (this.#scratch.length === 0) this.#scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
    return this.#scratch.subarray(0, Math.max(1, Math.min(SCRATCH_BYTES, this.#unreadBytes)));
  }

  #received(count: number, place: Uint8Array): boolean {
    if (place.buffer === this.#scratch.buffer) {
      this.#take(this.#scratch.subarray(0, count));
    } else {
      this.#unreadBytes -= count;
      this.#idle?.refresh();
      this.#filled += count;
      if (this.#filled === this.#target?.length) this.#rouse();
    }
    if (this.#unreadBytes === 0) this.#end("complete");
    return this.#isReading;
  }

  #end(ending: "complete" | "cut"): void {
    this.#ending ??= ending;
    this.#rouse();
  }

  #rouse(): void {
    this.#pause();
    this.#wake();
  }

  #resume(): void {
    this.#isReading = true;
    if (this.#socket === undefined) this.#req.resume();
    else this.#socket.resume();
  }

  #pause(): void {
    this.#isReading = false;
    if (this.#socket === undefined) this.#req.pause();
    else this.#socket.pause();
  }
}
