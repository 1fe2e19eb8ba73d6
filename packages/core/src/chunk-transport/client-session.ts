import type { Socket } from "node:net";
import { type ChunkPart, type PutResult, type ReadOptions, viewFor } from "../chunk-store/index.ts";
import type { ChunkId } from "../chunking/index.ts";
import { takeSocket } from "../http-edge/index.ts";
import { FleetingMap, limits } from "../kernel/index.ts";
import type { SessionKey } from "../request-signing/index.ts";
import { type ChunkToPut, decodeOutcomes, encodeBundle, type PutOutcome } from "./bundle.ts";
import { FrameError } from "./frame-error.ts";
import { FrameReader } from "./frame-reader.ts";
import { FrameWriter } from "./frame-writer.ts";
import { type Answer, ANSWER_BYTES, decodeAnswer, encodeRequest, type Request } from "./frames.ts";
import { encodePart, isSealed } from "./parts.ts";

/** The node understood, and refused. The body says why, as it came: JSON that nobody has looked at. */
export class Refused extends Error {
  override readonly name = "Refused";
  readonly body: Buffer;

  constructor(body: Buffer) {
    super("refused");
    this.body = body;
  }
}

/** The session was given up for another request's sake: this one may be asked on another session. */
export class Displaced extends Error {
  override readonly name = "Displaced";
}

/** What came is not what the node sent. */
export class Altered extends Error {
  override readonly name = "Altered";
}

type Asked = Pick<Request, "kind" | "id"> & ReadOptions & { body?: readonly Buffer[]; sent?: () => void; part?: ChunkPart };
type Answered = Pick<Answer, "kind" | "number"> & { body: Buffer; seal: Buffer | undefined };

export interface ClientSessionOptions {
  /** For an answer to begin. */
  requestTimeoutMs: number;
  /** Whether the node can be asked for parts. */
  takesParts: boolean;
  /** Whether it takes several chunks at once. */
  takesBundles: boolean;
}

interface Exchange extends PromiseWithResolvers<Answered> {
  kind: Request["kind"];
  into: Buffer | undefined;
  part: ChunkPart | undefined;
  /** Of the part that follows it. */
  seal: Buffer | undefined;
  /** For the answer to begin. */
  limit: NodeJS.Timeout;
  forgetSignal: () => void;
}

/** What comes for nobody goes here. All sessions may write to it at once. */
const nowhere = Buffer.allocUnsafeSlow(limits.chunkBytesMax);

/**
 * The asking side of one chunk stream. Many requests may be under way, and are answered in any order. Whatever is not as
 * agreed, too late, or broken off ends the session, and with it rejects all that is under way.
 */
export class ClientSession {
  readonly #socket: Socket;
  readonly #key: SessionKey;
  readonly #requestTimeoutMs: number;
  readonly takesParts: boolean;
  readonly takesBundles: boolean;
  readonly #writer: FrameWriter;
  readonly #exchanges = new FleetingMap<Exchange>();
  readonly #closed = Promise.withResolvers<void>();
  #number = 0;
  #arriving: (Pick<Answer, "kind" | "number"> & { exchange: Exchange; body: Buffer }) | undefined;
  #closing = false;
  #fault: Error | undefined;
  /** Called when a request is over, or the session. */
  onChange = (): void => undefined;

  constructor(http: Socket, key: SessionKey, { requestTimeoutMs, takesParts, takesBundles }: ClientSessionOptions) {
    const reader = new FrameReader({ headerBytes: ANSWER_BYTES, header: (header) => this.#begin(header), body: () => this.#arrived() });
    this.#key = key;
    this.#requestTimeoutMs = requestTimeoutMs;
    this.takesParts = takesParts;
    this.takesBundles = takesBundles;
    this.#socket = takeSocket(http, reader, (error) => this.#end(error));
    this.#writer = new FrameWriter(this.#socket);
    this.#socket.setTimeout(limits.nodeStreamIdleMs, () => this.#end(new Error("nothing moved in time")));
  }

  /** Requests that are not over. */
  get busy(): number {
    return this.#exchanges.size;
  }

  get isOpen(): boolean {
    return this.#fault === undefined && !this.#closing;
  }

  /** Settles only when `bytes` are the caller's again. */
  async put(id: ChunkId, bytes: Buffer): Promise<PutResult> {
    const { kind } = await this.#send({ kind: "put", id, body: [bytes] });
    return { stored: kind === "stored" };
  }

  /** Likewise, several at once, and what became of each. Only where the session `takesBundles`, and of chunks that fit into one. */
  async putAll(chunks: readonly ChunkToPut[]): Promise<PutOutcome[]> {
    const { body } = await this.#send({ kind: "bundle", ...encodeBundle(chunks) });
    try {
      return decodeOutcomes(body, chunks.length);
    } catch (error) {
      this.#end(error as Error);
      throw error;
    }
  }

  /** The bytes as they came: the caller compares them with their name. */
  async get(id: ChunkId, options: ReadOptions, kind: "get" | "copy" = "get"): Promise<Buffer> {
    this.#requireOpen();
    options.signal?.throwIfAborted();
    return (await this.#ask({ kind, id, ...options })).body;
  }

  /** As the node sent it, or it rejects with `Altered`. Only where the session `takesParts`. */
  async getPart(id: ChunkId, part: ChunkPart, options: ReadOptions): Promise<Buffer> {
    this.#requireOpen();
    options.signal?.throwIfAborted();
    const { number, body, seal } = await this.#ask({ kind: "part", id, part, ...options });
    if (!isSealed({ number, id, part }, body, seal!, this.#key)) throw new Altered("a part of a chunk that arrived damaged");
    return body;
  }

  /** Takes no more requests, and resolves when those under way are over. */
  async close(): Promise<void> {
    this.#closing = true;
    if (this.busy === 0) this.#end(new Error("closed"));
    await this.#closed.promise;
  }

  #requireOpen(): void {
    if (this.#fault !== undefined) throw this.#fault;
  }

  async #send(asked: Pick<Asked, "kind" | "id" | "body">): Promise<Answered> {
    this.#requireOpen();
    const sent = Promise.withResolvers<void>();
    const answer = this.#ask({ ...asked, sent: sent.resolve });
    await Promise.allSettled([answer, sent.promise]);
    return await answer;
  }

  #ask({ kind, id, part, body, sent, into, signal }: Asked): Promise<Answered> {
    if (this.busy === 0) this.#socket.setTimeout(this.#requestTimeoutMs);
    const number = ++this.#number;
    const leave = (): void => this.#leave(number, id);
    const limit = setTimeout(() => this.#end(new Error("no answer in time")), this.#requestTimeoutMs);
    const forgetSignal = (): void => signal?.removeEventListener("abort", leave);
    signal?.addEventListener("abort", leave, { once: true });
    const exchange: Exchange = { ...Promise.withResolvers<Answered>(), kind, into, part, seal: undefined, limit, forgetSignal };
    this.#exchanges.add(number, exchange);
    const parts = part === undefined ? body : [encodePart({ number, id, part }, this.#key)];
    const length = parts?.reduce((sum, { length }) => sum + length, 0) ?? 0;
    this.#writer.send(encodeRequest({ kind, number, length, id }, this.#key), parts, sent);
    return exchange.promise;
  }

  /** An answer that is arriving would still go to memory that is the caller's again, so the session goes with it. */
  #leave(number: number, id: ChunkId): void {
    const exchange = this.#exchanges.get(number)!;
    if (this.#arriving?.number === number) return this.#end(new Displaced("another reader left in the middle of an answer"));
    exchange.into = nowhere;
    exchange.reject(new Error("nobody waits for the answer"));
    this.#writer.send(encodeRequest({ kind: "cancel", number, length: 0, id }, this.#key));
  }

  #begin(header: Buffer): Buffer {
    const { kind, number, length } = decodeAnswer(header);
    const exchange = this.#exchanges.get(number);
    if (exchange === undefined) throw new FrameError("an answer to nothing that was asked");
    if (!answers(kind, length, exchange)) throw new FrameError("an answer to another question");
    if (kind !== "seal") clearTimeout(exchange.limit); // from here on something must move, that is all
    const body = viewFor(length, kind === "refusal" || kind === "seal" ? undefined : exchange.into);
    this.#arriving = { kind, number, exchange, body };
    return body;
  }

  #arrived(): void {
    const { kind, number, exchange, body } = this.#arriving!;
    this.#arriving = undefined;
    if (kind === "seal") return void (exchange.seal = body);
    this.#exchanges.delete(number);
    exchange.forgetSignal();
    if (kind === "refusal") exchange.reject(new Refused(body));
    else exchange.resolve({ kind, number, body, seal: exchange.seal });
    if (this.busy === 0) this.#rest();
    this.onChange();
  }

  #rest(): void {
    if (this.#closing) this.#end(new Error("closed"));
    else this.#socket.setTimeout(limits.nodeStreamIdleMs);
  }

  #end(fault: Error): void {
    if (this.#fault !== undefined) return;
    this.#fault = fault;
    this.#socket.destroy();
    for (const exchange of this.#exchanges.values()) {
      clearTimeout(exchange.limit);
      exchange.forgetSignal();
      exchange.reject(fault);
    }
    this.#exchanges.clear();
    this.#closed.resolve();
    this.onChange();
  }
}

/** Whether this may come next for what was asked. */
function answers(kind: Answer["kind"], length: number, { kind: asked, part, seal }: Exchange): boolean {
  if (kind === "refusal") return seal === undefined;
  if (asked === "put") return kind === "stored" || kind === "held";
  if (asked === "bundle") return kind === "bundle";
  if (part === undefined) return kind === "chunk";
  return seal === undefined ? kind === "seal" : kind === "part" && length === part.to - part.from;
}
