/**
 * A program that talks to the Drive or the console from outside: for fault tests and benchmarks.
 *
 * Plain `node:http`, so that every header and every broken connection is in the caller's hand.
 */
import { Agent, type IncomingHttpHeaders, type IncomingMessage, request } from "node:http";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

export class SessionClient {
  protected readonly origin: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 128 });
  #session: Record<string, string> = {};

  constructor(origin: string) {
    this.origin = origin;
  }

  /** The headers that show who is asking, for requests made without this client. */
  get session(): Readonly<Record<string, string>> {
    return this.#session;
  }

  async signIn(email: string, password: string): Promise<void> {
    const answer = await this.json("POST", "/api/auth/sign-in/email", { email, password });
    if (answer.status !== 200) throw new Error(`sign-in answered ${answer.status}: ${answer.body.toString()}`);
    this.#session = { cookie: (answer.headers["set-cookie"] ?? []).map((cookie) => cookie.split(";")[0]).join("; ") };
  }

  json(method: string, path: string, body: unknown): Promise<Answer> {
    return this.send(method, path, { "content-type": "application/json" }, Buffer.from(JSON.stringify(body)));
  }

  /** The JSON body of a GET that must succeed. */
  async get<T>(path: string): Promise<T> {
    const { status, body } = await this.send("GET", path);
    if (status !== 200) throw new Error(`${path} answered ${status}: ${body.toString()}`);
    return JSON.parse(body.toString()) as T;
  }

  /** A question to the app's own API, which must be answered. */
  async query<T>(procedure: string, input: unknown): Promise<T> {
    return resultOf<T>(
      procedure,
      await this.send("GET", `/api/trpc/${procedure}?input=${encodeURIComponent(JSON.stringify({ json: input }))}`),
    );
  }

  /** A change by the app's own API, which must succeed. */
  async mutate<T>(procedure: string, input?: unknown): Promise<T> {
    return resultOf<T>(procedure, await this.json("POST", `/api/trpc/${procedure}`, { json: input }));
  }

  /** One request, its answer read whole. A stream as body is sent as it comes. */
  async send(method: string, path: string, headers: Record<string, string | number> = {}, body?: Buffer | Readable): Promise<Answer> {
    const response = await this.open(method, path, headers, body);
    const parts: Buffer[] = [];
    for await (const part of response) parts.push(part as Buffer);
    return { status: response.statusCode!, headers: response.headers, body: Buffer.concat(parts) };
  }

  /** One request, its answer's body left to the caller. */
  open(method: string, path: string, headers: Record<string, string | number> = {}, body?: Buffer | Readable): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const url = new URL(path, this.origin);
      const req = request(url, { method, agent: this.#agent, headers: { ...this.#session, ...headers } }, resolve);
      req.once("error", reject);
      if (body === undefined || Buffer.isBuffer(body)) req.end(body);
      else pipeline(body, req).catch(reject);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

function resultOf<T>(procedure: string, { status, body }: Answer): T {
  if (status !== 200) throw new Error(`${procedure} answered ${status}: ${body.toString()}`);
  return (JSON.parse(body.toString()) as { result: { data: { json: T } } }).result.data.json;
}
