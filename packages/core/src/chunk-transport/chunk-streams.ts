import { type ClientSession, Displaced } from "./client-session.ts";

export interface ChunkStreamsOptions {
  open: () => Promise<ClientSession>;
  /** Streams at most, and requests under way on each. */
  streamsMax: number;
  requestsMax: number;
}

interface Waiting {
  begin(session: ClientSession): void;
  fail(error: unknown): void;
}

/**
 * A few chunk streams to one node, for requests of one sort: what is small does not wait behind what is large, nor reads
 * behind writes. A request goes to the stream with the least to do, and another is opened when all have something.
 */
export class ChunkStreams {
  readonly #options: ChunkStreamsOptions;
  readonly #sessions = new Set<ClientSession>();
  readonly #waiting: Waiting[] = [];
  #opening = 0;
  #underWay = 0;
  #closing: PromiseWithResolvers<void> | undefined;

  constructor(options: ChunkStreamsOptions) {
    this.#options = options;
  }

  /** Rejects as `ask` does, or when no stream can be opened. What lost its session to another reader's leaving is asked again. */
  async run<T>(ask: (session: ClientSession) => Promise<T>, signal?: AbortSignal): Promise<T> {
    this.#underWay++;
    try {
      return await this.#untilPlaced(ask, signal);
    } finally {
      this.#underWay--;
      if (this.#underWay === 0) this.#closing?.resolve();
    }
  }

  /** Waits for what is under way. No call may follow. */
  async close(): Promise<void> {
    this.#closing = Promise.withResolvers();
    if (this.#underWay > 0) await this.#closing.promise;
    await Promise.all([...this.#sessions].map((session) => session.close()));
  }

  async #untilPlaced<T>(ask: (session: ClientSession) => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    for (;;) {
      try {
        return await this.#dispatch(ask, signal);
      } catch (error) {
        if (!(error instanceof Displaced) || signal?.aborted) throw error;
      }
    }
  }

  #dispatch<T>(ask: (session: ClientSession) => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    const session = this.#freest();
    if (session?.busy !== 0) void this.#openAnother();
    if (session !== undefined) return ask(session);
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
        reject(signal!.reason as Error);
      };
      const stay = (): void => signal?.removeEventListener("abort", leave);
      const waiting: Waiting = {
        begin: (session) => (stay(), resolve(ask(session))),
        fail: (error) => (stay(), reject(error)),
      };
      if (signal?.aborted) return reject(signal.reason as Error);
      signal?.addEventListener("abort", leave, { once: true });
      this.#waiting.push(waiting);
    });
  }

  /** Undefined when all have as much to do as they may. */
  #freest(): ClientSession | undefined {
    let freest: ClientSession | undefined;
    for (const session of this.#sessions) if (freest === undefined || session.busy < freest.busy) freest = session;
    return freest !== undefined && freest.busy < this.#options.requestsMax ? freest : undefined;
  }

  async #openAnother(): Promise<void> {
    const { open, streamsMax } = this.#options;
    if (this.#sessions.size + this.#opening >= streamsMax || this.#opening > this.#waiting.length) return;
    this.#opening++;
    const [opened] = await Promise.allSettled([open()]);
    this.#opening--;
    if (opened.status === "fulfilled") this.#add(opened.value);
    else if (this.#sessions.size === 0 && this.#opening === 0) this.#waiting.splice(0).forEach((waiting) => waiting.fail(opened.reason));
    else this.#serve();
  }

  #add(session: ClientSession): void {
    this.#sessions.add(session);
    session.onChange = () => {
      if (!session.isOpen && this.#sessions.delete(session) && this.#waiting.length > 0) void this.#openAnother();
      this.#serve();
    };
    if (this.#closing !== undefined && this.#underWay === 0) void session.close();
    else session.onChange();
  }

  /** While streams are being opened, those that are open get one each: the first one would otherwise get all. */
  #serve(): void {
    while (this.#waiting.length > 0) {
      const session = this.#freest();
      if (session === undefined || (session.busy > 0 && this.#opening > 0)) return;
      this.#waiting.shift()!.begin(session);
    }
  }
}
