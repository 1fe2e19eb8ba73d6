import type { IncomingMessage } from "node:http";

export interface UploadBodyOptions {
  /** A client that sends nothing for so long is taken for gone. */
  idleTimeoutMs: number;
  /** Aborts when another request wants the upload: what has arrived is kept, nothing more is taken. */
  leave: AbortSignal;
}

export interface HoldPolicy {
  /** After each such time the buffer is given up half full if `isContended` says so. */
  holdMs: number;
  isContended: () => boolean;
}

/**
 * A request's body, copied straight from the socket's pieces into the buffers it is given. Between two calls the socket is
 * not read: that is the whole backpressure. Streams and their hops cost several times as much.
 */
export class UploadBody {
  readonly #req: IncomingMessage;
  readonly #idleTimeoutMs: number;
  /** What the client announced and nobody has taken yet; infinite when it announced nothing. */
  #leftBytes: number;
  /** What arrived before anybody had a buffer for it: at most one piece. */
  #rest: Buffer = Buffer.alloc(0);
  #target: Buffer | undefined;
  #filled = 0;
  #ending: "complete" | "cut" | undefined;
  #idle: NodeJS.Timeout | undefined;
  #wake: () => void = () => undefined;

  constructor(req: IncomingMessage, { idleTimeoutMs, leave }: UploadBodyOptions) {
    this.#req = req;
    this.#idleTimeoutMs = idleTimeoutMs;
    this.#leftBytes = Number(req.headers["content-length"] ?? Infinity);
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
    return this.#leftBytes;
  }

  /** Waits for a first byte. False when there are none any more. */
  async arrives(): Promise<boolean> {
    if (this.#rest.length === 0 && this.#ending === undefined) await this.#more();
    return this.#rest.length > 0;
  }

  /** Waits until the buffer is full, the body has ended, or the policy wants the buffer back. Returns the bytes written to it. */
  async fill(target: Buffer, policy: HoldPolicy): Promise<number> {
    this.#filled = this.#rest.copy(target);
    this.#rest = this.#rest.subarray(this.#filled);
    if (this.#filled < target.length && this.#ending === undefined) await this.#fillUp(target, policy);
    this.#leftBytes -= this.#filled;
    return this.#filled;
  }

  /** Takes bytes back that could not be used: they are the next to be had. */
  giveBack(bytes: Buffer): void {
    this.#rest = Buffer.concat([bytes, this.#rest]);
    this.#leftBytes += bytes.length;
  }

  /** Takes nothing more, and forgets what was not asked for yet. */
  abandon(): void {
    this.#rest = this.#rest.subarray(0, 0);
    this.#end("cut");
  }

  async #fillUp(target: Buffer, { holdMs, isContended }: HoldPolicy): Promise<void> {
    this.#target = target;
    const holding = setInterval(() => {
      if (this.#filled > 0 && isContended()) this.#rouse();
    }, holdMs);
    await this.#more();
    clearInterval(holding);
    this.#target = undefined;
  }

  async #more(): Promise<void> {
    const woken = new Promise<void>((resolve) => (this.#wake = resolve));
    this.#idle = setTimeout(() => this.#end("cut"), this.#idleTimeoutMs);
    this.#req.resume();
    await woken;
    clearTimeout(this.#idle);
  }

  #take(piece: Buffer): void {
    if (this.#ending !== undefined) return;
    this.#idle?.refresh();
    const taken = this.#target === undefined ? 0 : piece.copy(this.#target, this.#filled);
    this.#filled += taken;
    this.#rest = piece.subarray(taken);
    if (this.#target === undefined || this.#filled === this.#target.length) this.#rouse();
  }

  #end(ending: "complete" | "cut"): void {
    this.#ending ??= ending;
    this.#rouse();
  }

  #rouse(): void {
    this.#req.pause();
    this.#wake();
  }
}
