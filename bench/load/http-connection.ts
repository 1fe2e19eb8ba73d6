/**
 * HTTP/1.1 as cheap as Node makes it: a kept socket, answers counted and thrown away as they arrive. A load generator that
 * needs as much of the machine as the servers would measure itself.
 */
import { connect, type Socket } from "node:net";
import { KiB } from "@holdfast/core/kernel";

export interface HttpRequest {
  method: string;
  path: string;
  headers: Readonly<Record<string, string | number>>;
  body?: { length: number; parts: Iterable<Buffer> };
}

export interface HttpAnswer {
  status: number;
  /** The head as it was sent. */
  head: string;
  /** How the body begins; enough for whatever an error says. */
  text: string;
  bodyBytes: number;
  /** From the request until the first byte of the body. */
  firstByteMs: number;
}

const TEXT_CHARACTERS = 2 * KiB;
const LAST_CHUNK = "\r\n0\r\n\r\n";
/** One for all: each read is dealt with before the next one begins. */
const readBuffer = Buffer.allocUnsafeSlow(512 * KiB);

/** One request at a time. */
export class HttpConnection {
  readonly #host: string;
  readonly #socket: Socket;
  #answer: PendingAnswer | undefined;

  private constructor({ hostname, port, host }: URL) {
    this.#host = host;
    this.#socket = connect({
      host: hostname,
      port: Number(port),
      noDelay: true,
      onread: { buffer: readBuffer, callback: (length, bytes) => this.#take(bytes.subarray(0, length) as Buffer) },
    });
    this.#socket.on("error", (error) => this.#answer?.reject(error));
    this.#socket.on("close", () => this.#answer?.reject(new Error("The server closed the connection in the middle of an answer.")));
  }

  static open(origin: URL): Promise<HttpConnection> {
    const connection = new HttpConnection(origin);
    return new Promise((resolve, reject) => {
      connection.#socket.once("connect", () => resolve(connection)).once("error", reject);
    });
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed;
  }

  async exchange(request: HttpRequest): Promise<HttpAnswer> {
    const answer = new PendingAnswer(request.method);
    this.#answer = answer;
    await Promise.race([this.#send(request, answer), answer.arrived]);
    const arrived = await answer.arrived;
    this.#answer = undefined;
    if (headerOf(arrived.head, "connection") === "close") this.close();
    return arrived;
  }

  close(): void {
    this.#socket.destroy();
  }

  async #send({ method, path, headers, body }: HttpRequest, answer: PendingAnswer): Promise<void> {
    const fields = { host: this.#host, ...(body && { "content-length": body.length }), ...headers };
    const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
    this.#socket.cork();
    this.#socket.write(`${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n`, "latin1");
    let isCorked = true;
    for (const part of body?.parts ?? []) {
      const sent = new Promise<unknown>((resolve) => this.#socket.write(part, resolve));
      if (isCorked) this.#socket.uncork();
      isCorked = false;
      await sent;
      if (answer.isComplete) return this.close(); // refused in the middle: what is left of the body is nobody's
    }
    if (isCorked) this.#socket.uncork();
  }

  #take(bytes: Buffer): boolean {
    if (this.#answer?.take(bytes) !== false) return true;
    this.close();
    return false;
  }
}

class PendingAnswer {
  readonly #method: string;
  readonly #result = Promise.withResolvers<HttpAnswer>();
  readonly #sentAt = performance.now();
  #text = "";
  #tail = "";
  #answer: HttpAnswer | undefined;
  /** Undefined when the body says itself where it ends. */
  #length: number | undefined;
  isComplete = false;

  constructor(method: string) {
    this.#method = method;
    this.#result.promise.catch(() => undefined); // whoever waits is told; sending may have failed before anybody did
  }

  get arrived(): Promise<HttpAnswer> {
    return this.#result.promise;
  }

  reject(error: Error): void {
    this.#result.reject(error);
  }

  /** False when more came than there should have. */
  take(bytes: Buffer): boolean {
    if (this.isComplete) return false;
    if (this.#answer === undefined) this.#takeHead(bytes);
    else this.#takeBody(bytes.length, () => bytes.toString("latin1"));
    return true;
  }

  #takeHead(bytes: Buffer): void {
    this.#text += bytes.toString("latin1");
    const end = this.#text.indexOf("\r\n\r\n") + 4;
    if (end < 4) return;
    const head = this.#text.slice(0, end);
    const status = Number(head.slice(9, 12));
    const hasBody = this.#method !== "HEAD" && status !== 204 && status !== 304;
    const length = hasBody ? headerOf(head, "content-length") : "0";
    this.#length = length === undefined ? undefined : Number(length);
    this.#answer = { status, head, text: "", bodyBytes: 0, firstByteMs: Number.NaN };
    const body = this.#text.slice(end);
    this.#tail = "\r\n";
    this.#takeBody(body.length, () => body);
  }

  #takeBody(length: number, text: () => string): void {
    const answer = this.#answer!;
    if (length > 0 && answer.bodyBytes === 0) answer.firstByteMs = performance.now() - this.#sentAt;
    answer.bodyBytes += length;
    if (answer.text.length < TEXT_CHARACTERS) answer.text += text().slice(0, TEXT_CHARACTERS);
    if (this.#length === undefined) this.#tail = (this.#tail + text()).slice(-LAST_CHUNK.length);
    // A body that holds these bytes at the end of a read would be taken for complete; ours are JSON and empty.
    this.isComplete = this.#length === undefined ? this.#tail === LAST_CHUNK : answer.bodyBytes >= this.#length;
    if (this.isComplete) this.#result.resolve(answer);
  }
}

export function headerOf(head: string, name: string): string | undefined {
  return new RegExp(`\r\n${name}: ([^\r]*)\r\n`, "i").exec(head)?.[1];
}

/** As many connections as are needed at once, kept until the end. */
export class HttpPool {
  readonly #origin: URL;
  readonly #idle: HttpConnection[] = [];

  constructor(origin: string) {
    this.#origin = new URL(origin);
  }

  /** Throws unless the answer's status is as expected. */
  async exchange(request: HttpRequest, status: number): Promise<HttpAnswer> {
    const connection = this.#take() ?? (await HttpConnection.open(this.#origin));
    const answer = await connection.exchange(request);
    this.#idle.push(connection);
    if (answer.status !== status) throw new Error(`${request.method} ${request.path} answered ${answer.status}: ${answer.text}`);
    return answer;
  }

  close(): void {
    for (const connection of this.#idle.splice(0)) connection.close();
  }

  #take(): HttpConnection | undefined {
    for (;;) {
      const connection = this.#idle.pop();
      if (connection === undefined || connection.isOpen) return connection;
    }
  }
}
