import type { Socket } from "node:net";
import { KiB } from "../kernel/index.ts";

/** So much is cheaper to copy than to hand to the kernel in parts. */
const COPIED_BYTES_MAX = 4 * KiB;

/** Sends frames, those of one turn of the event loop by one system call. Bodies are not copied, unless all of it is short. */
export class FrameWriter {
  readonly #socket: Socket;
  #parts: Buffer[] = [];
  #taken: (() => void)[] = [];

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** `taken` is called when the memory of all is free again: the kernel has taken it, or the connection has ended. */
  send(header: Buffer, body: readonly Buffer[] = [], taken?: () => void): void {
    if (this.#parts.length === 0) process.nextTick(() => this.#flush());
    this.#parts.push(header, ...body);
    if (taken !== undefined) this.#taken.push(taken);
  }

  #flush(): void {
    const taken = this.#taken;
    const parts = inFew(this.#parts);
    this.#parts = [];
    this.#taken = [];
    const last = parts.pop()!;
    this.#socket.cork();
    for (const part of parts) this.#socket.write(part);
    this.#socket.write(last, () => taken.forEach((tell) => tell()));
    this.#socket.uncork();
  }
}

function inFew(parts: Buffer[]): Buffer[] {
  const bytes = parts.reduce((sum, part) => sum + part.length, 0);
  return bytes < COPIED_BYTES_MAX ? [Buffer.concat(parts, bytes)] : parts;
}
