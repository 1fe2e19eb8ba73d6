import type { Socket } from "node:net";
import type { ChunkBuffer } from "../byte-budget/index.ts";
import type { ChunkPart, PutResult } from "../chunk-store/index.ts";
import type { ChunkId } from "../chunking/index.ts";
import { takeSocket } from "../http-edge/index.ts";
import { FleetingMap, limits, systemClock } from "../kernel/index.ts";
import type { SessionKey } from "../request-signing/index.ts";
import { type ChunkToPut, encodeOutcomes, openBundle, type PutOutcome } from "./bundle.ts";
import { FrameError } from "./frame-error.ts";
import { FrameReader } from "./frame-reader.ts";
import { FrameWriter } from "./frame-writer.ts";
import { type Answer, decodeRequest, encodeAnswer, REQUEST_BYTES, type Request } from "./frames.ts";
import { type AskedPart, decodePart, PART_BYTES, sealOf } from "./parts.ts";

/** What a node does with the requests that reach it over a chunk stream. */
export interface ChunkDoor {
  /** Memory for a chunk that is to come; undefined when there is none now. */
  roomNow(length: number): ChunkBuffer | undefined;
  /** Likewise, as soon as there is some. Rejects when `gone`. */
  room(length: number, gone: AbortSignal): Promise<ChunkBuffer>;
  put(id: ChunkId, bytes: Buffer): Promise<PutResult>;
  get(id: ChunkId, gone: AbortSignal): Promise<ReadChunk>;
  getPart(id: ChunkId, part: ChunkPart, gone: AbortSignal): Promise<ReadChunk>;
  /** As `get`, for a copy on another node. */
  lend(id: ChunkId, gone: AbortSignal): Promise<ReadChunk>;
  /** What the other side is told of an error: the JSON that it would get over HTTP. */
  refusal(error: unknown): Buffer;
  /** The other side did not speak as agreed. */
  broken(error: unknown): void;
}

/** A chunk, or the part asked for, in memory that is given back when it was sent. */
export interface ReadChunk {
  bytes: Buffer;
  memory: ChunkBuffer;
}

interface Exchange {
  number: number;
  gone: AbortController;
  begunAtMs: number;
}

interface Arriving {
  exchange: Exchange;
  request: Request;
  /** Where a put's chunk goes, or several. */
  memory: ChunkBuffer | undefined;
  /** Where the place of a part goes. */
  place: Buffer;
}

const NOTHING = Buffer.alloc(0);
const UNWANTED = Buffer.from("{}");

/**
 * The answering side of one chunk stream. It reads no further while many requests are unanswered, and while no memory is free
 * for the chunk that is next: whoever reads no answers is not read from. Whoever does not speak as agreed, or takes too long,
 * is cut off, and what was under way for him is given up.
 */
export class ServerSession {
  /** Resolves when the connection is closed. */
  readonly ended: Promise<void>;
  readonly #ended = Promise.withResolvers<void>();
  readonly #socket: Socket;
  readonly #key: SessionKey;
  readonly #door: ChunkDoor;
  readonly #exchangeTimeoutMs: number;
  readonly #reader: FrameReader;
  readonly #writer: FrameWriter;
  /** The oldest first. */
  readonly #exchanges = new FleetingMap<Exchange>();
  /** Goes off when the oldest exchange takes too long, or before. */
  #limit: NodeJS.Timeout | undefined;
  #number = 0;
  #arriving: Arriving | undefined;
  #isFull = false;
  #isDraining = false;
  #isOver = false;

  constructor(http: Socket, key: SessionKey, door: ChunkDoor, exchangeTimeoutMs: number = limits.nodeExchangeTimeoutMs) {
    this.ended = this.#ended.promise;
    this.#key = key;
    this.#door = door;
    this.#exchangeTimeoutMs = exchangeTimeoutMs;
    this.#reader = new FrameReader({ headerBytes: REQUEST_BYTES, header: (header) => this.#begin(header), body: () => this.#arrived() });
    this.#socket = takeSocket(http, this.#reader, (reason) => this.#end(reason));
    this.#writer = new FrameWriter(this.#socket);
    this.#socket.setTimeout(limits.nodeRequestTimeoutMs, () => this.cut());
  }

  /** Finishes what has begun, takes nothing more, and closes the connection. */
  drain(): void {
    this.#isDraining = true;
    this.#reader.hold();
    this.#leaveIfDone();
  }

  /** Closes the connection at once. */
  cut(): void {
    this.#end(new Error("cut off"));
  }

  #begin(header: Buffer): Buffer | undefined {
    const request = decodeRequest(header, this.#key);
    if (request.kind === "cancel") {
      this.#exchanges.get(request.number)?.gone.abort();
      return NOTHING;
    }
    if (request.number !== this.#number + 1) throw new FrameError("a request out of turn");
    this.#number = request.number;
    const place = request.kind === "part" ? Buffer.allocUnsafe(PART_BYTES) : NOTHING;
    this.#arriving = { exchange: this.#open(request), request, memory: undefined, place };
    return request.kind === "put" || request.kind === "bundle" ? this.#makeRoom(this.#arriving, request.length) : place;
  }

  #open({ number }: Request): Exchange {
    const exchange = { number, gone: new AbortController(), begunAtMs: systemClock.monotonicMs() };
    this.#exchanges.add(number, exchange);
    this.#limit ??= this.#cutIn(this.#exchangeTimeoutMs);
    this.#isFull = this.#exchanges.size >= limits.nodeStreamRequestsMax;
    if (this.#isFull) this.#reader.hold();
    return exchange;
  }

  #cutIn(waitMs: number): NodeJS.Timeout {
    return setTimeout(() => this.#cutIfLate(), waitMs);
  }

  #cutIfLate(): void {
    const [oldest] = this.#exchanges.values();
    const leftMs = oldest && oldest.begunAtMs + this.#exchangeTimeoutMs - systemClock.monotonicMs();
    if (leftMs !== undefined && leftMs <= 0) this.cut();
    else this.#limit = leftMs === undefined ? undefined : this.#cutIn(leftMs);
  }

  #makeRoom(arriving: Arriving, length: number): Buffer | undefined {
    arriving.memory = this.#door.roomNow(length);
    if (arriving.memory === undefined) void this.#fillLater(arriving, length);
    return arriving.memory?.bytes;
  }

  async #fillLater(arriving: Arriving, length: number): Promise<void> {
    try {
      arriving.memory = await this.#door.room(length, arriving.exchange.gone.signal);
    } catch {
      return this.cut(); // gone, most likely
    }
    const { memory } = arriving;
    if (this.#isOver) memory.release();
    else this.#goOn(() => this.#reader.provide(memory.bytes));
  }

  #arrived(): void {
    const arrived = this.#arriving;
    if (arrived === undefined) return; // a cancel
    const { exchange, request, memory, place } = arrived;
    const bundle = request.kind === "bundle" ? openBundle(memory!.bytes, request.id) : undefined;
    this.#arriving = undefined;
    if (bundle !== undefined) void this.#putAll(exchange, bundle, memory!);
    else if (memory !== undefined) void this.#put(exchange, request.id, memory);
    else if (request.kind === "part") void this.#readPart(exchange, { ...request, part: decodePart(place, request, this.#key) });
    else void this.#read(exchange, request);
  }

  async #put(exchange: Exchange, id: ChunkId, memory: ChunkBuffer): Promise<void> {
    try {
      const outcome = await this.#outcomeOf({ id, bytes: memory.bytes });
      this.#answer(exchange, outcome.kind, "body" in outcome ? outcome.body : undefined);
    } finally {
      memory.release();
    }
  }

  async #putAll(exchange: Exchange, chunks: readonly ChunkToPut[], memory: ChunkBuffer): Promise<void> {
    try {
      const outcomes = await Promise.all(chunks.map((chunk) => this.#outcomeOf(chunk)));
      this.#answer(exchange, "bundle", encodeOutcomes(outcomes));
    } finally {
      memory.release();
    }
  }

  async #outcomeOf({ id, bytes }: ChunkToPut): Promise<PutOutcome> {
    try {
      const { stored } = await this.#door.put(id, bytes);
      return { kind: stored ? "stored" : "held" };
    } catch (error) {
      return { kind: "refusal", body: this.#door.refusal(error) };
    }
  }

  #read(exchange: Exchange, { kind, id }: Request): Promise<void> {
    const read = (gone: AbortSignal) => (kind === "copy" ? this.#door.lend(id, gone) : this.#door.get(id, gone));
    return this.#answerRead(exchange, read, ({ bytes, memory }) => this.#answer(exchange, "chunk", bytes, memory));
  }

  #readPart(exchange: Exchange, asked: AskedPart): Promise<void> {
    const read = (gone: AbortSignal) => this.#door.getPart(asked.id, asked.part, gone);
    return this.#answerRead(exchange, read, ({ bytes, memory }) => {
      const seal = sealOf(asked, bytes, this.#key);
      this.#writer.send(encodeAnswer({ kind: "seal", number: asked.number, length: seal.length }), [seal]);
      this.#answer(exchange, "part", bytes, memory);
    });
  }

  async #answerRead(exchange: Exchange, read: (gone: AbortSignal) => Promise<ReadChunk>, answer: (read: ReadChunk) => void): Promise<void> {
    const gone = exchange.gone.signal;
    try {
      const chunk = await read(gone);
      if (!gone.aborted) return answer(chunk);
      chunk.memory.release();
    } catch (error) {
      if (!gone.aborted) return this.#answer(exchange, "refusal", this.#door.refusal(error));
    }
    this.#answer(exchange, "refusal", UNWANTED);
  }

  /** The exchange is over when the answer has left, not before: an answer that nobody reads counts, and keeps its memory. */
  #answer(exchange: Exchange, kind: Answer["kind"], body?: Buffer, memory?: ChunkBuffer): void {
    const header = encodeAnswer({ kind, number: exchange.number, length: body?.length ?? 0 });
    this.#writer.send(header, body && [body], () => {
      memory?.release();
      this.#exchanges.delete(exchange.number);
      if (this.#isOver) return;
      if (this.#isDraining) this.#leaveIfDone();
      else if (this.#isFull) this.#goOn(() => this.#reader.goOn());
    });
  }

  #goOn(read: () => boolean): void {
    try {
      if (read()) this.#socket.resume();
    } catch (error) {
      this.#end(error);
    }
  }

  /** What has come since is read and dropped: closed over unread bytes, a connection takes answers along that are on their way. */
  #leaveIfDone(): void {
    if (this.#exchanges.size > 0) return;
    this.#reader.ignore();
    this.#socket.end().resume();
  }

  #end(reason: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (reason instanceof FrameError) this.#door.broken(reason);
    this.#socket.destroy(); // before the memory is given back: nothing is read into it any more
    this.#arriving?.memory?.release();
    clearTimeout(this.#limit);
    for (const { gone } of this.#exchanges.values()) gone.abort();
    this.#ended.resolve();
  }
}
