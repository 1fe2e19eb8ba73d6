import type { Socket } from "node:net";

/** Sends frames, those of one turn of the event loop by one system call. Bodies are not copied. */
export class FrameWriter {
  readonly #socket: Socket;
  #corked = false;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** `taken` is called when the memory of both is free again: the kernel has taken it, or the connection has ended. */
  send(header: Buffer, body?: Buffer, taken?: () => void): void {
    if (!this.#corked) {
      this.#corked = true;
      this.#socket.cork();
      process.nextTick(() => {
        this.#corked = false;
        this.#socket.uncork();
      });
    }
    if (body === undefined) return void this.#socket.write(header, taken);
    this.#socket.write(header);
    this.#socket.write(body, taken);
  }
}
