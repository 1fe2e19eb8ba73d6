import { ChunkStoreError, type ReadOptions } from "../chunk-store/index.ts";
import { limits } from "../kernel/index.ts";
import type { NodeSnapshot } from "../membership/index.ts";
import type { Attempt, NodeStandings } from "../node-standing/index.ts";

export interface CopyFailure {
  node: NodeSnapshot;
  error: ChunkStoreError;
}

export interface CopyRaceOptions {
  /** Best first. */
  copies: readonly NodeSnapshot[];
  standings: NodeStandings;
  /** `into` is given to one request at a time. */
  get: (node: NodeSnapshot, options: ReadOptions) => Promise<Buffer>;
  /** Memory for the chunk. When the answer came without it, or none came, somebody may still be writing there. */
  into?: Buffer;
  onFailure: (failure: CopyFailure) => void;
  /** The error when no copy is left to try. */
  exhausted: (failures: readonly CopyFailure[]) => Error;
}

const HANGING_TURNS = 3;

/**
 * One chunk, asked of one copy after another. The next is asked when one fails, or takes too long while a hedge is to be
 * had; the first whole answer wins and the other requests are cancelled.
 */
export class CopyRace {
  /** Copies that an answer from a later one left behind. */
  overtaken = 0;
  readonly #options: CopyRaceOptions;
  readonly #waiting: NodeSnapshot[];
  /** In the order in which they were asked. */
  readonly #running = new Map<NodeSnapshot, Attempt>();
  readonly #failures: CopyFailure[] = [];
  readonly #over = new AbortController();
  readonly #result = Promise.withResolvers<Buffer>();
  #hedge: NodeJS.Timeout | undefined;

  constructor(options: CopyRaceOptions) {
    this.#options = options;
    this.#waiting = [...options.copies];
  }

  async run(signal: AbortSignal): Promise<Buffer> {
    const leave = (): void => this.#result.reject(signal.reason);
    signal.throwIfAborted();
    signal.addEventListener("abort", leave, { once: true });
    try {
      this.#askNext();
      return await this.#result.promise;
    } finally {
      signal.removeEventListener("abort", leave);
      this.#finish();
    }
  }

  #askNext(): void {
    clearTimeout(this.#hedge);
    const node = this.#waiting.shift();
    if (node !== undefined) this.#ask(node);
    else if (this.#running.size === 0) this.#result.reject(this.#options.exhausted(this.#failures));
  }

  #ask(node: NodeSnapshot): void {
    const { standings, get, into } = this.#options;
    const options = { signal: this.#over.signal, into: this.#running.size === 0 ? into : undefined };
    this.#running.set(node, standings.beginRead(node.id));
    get(node, options).then(
      (bytes) => this.#running.has(node) && this.#won(node, bytes),
      (error: unknown) => this.#running.has(node) && this.#lost(node, error),
    );
    this.#expectAnswer(node, standings.hedgeAfterMs(node.id), 1);
  }

  /** A late answer is worth a second request while there is a reserve for it; one that does not come at all is waited for no longer. */
  #expectAnswer(node: NodeSnapshot, hedgeAfterMs: number, turn: number): void {
    this.#hedge = setTimeout(() => {
      const { standings } = this.#options;
      const hangs = turn >= HANGING_TURNS && turn * hedgeAfterMs >= limits.readHangMs;
      if (this.#waiting.length === 0) return;
      if (hangs || standings.isAvoided(node.id, "reading") || standings.takeHedge()) this.#askNext();
      else this.#expectAnswer(node, hedgeAfterMs, turn + 1);
    }, hedgeAfterMs);
  }

  #won(node: NodeSnapshot, bytes: Buffer): void {
    for (const earlier of this.#running.keys()) {
      if (earlier === node) break;
      this.#take(earlier).overtaken();
      this.overtaken++;
    }
    this.#take(node).succeeded();
    this.#result.resolve(bytes);
  }

  #lost(node: NodeSnapshot, error: unknown): void {
    const attempt = this.#take(node);
    if (!(error instanceof ChunkStoreError)) {
      attempt.abandoned();
      this.#result.reject(error); // no fault of the node's but a bug of ours
      return;
    }
    if (error.code === "chunk.corrupt" || error.code === "chunk.not_found") attempt.succeeded(); // it answered, and truthfully
    else attempt.failed();
    this.#failures.push({ node, error });
    this.#options.onFailure({ node, error });
    this.#askNext();
  }

  #take(node: NodeSnapshot): Attempt {
    const attempt = this.#running.get(node)!;
    this.#running.delete(node);
    return attempt;
  }

  #finish(): void {
    clearTimeout(this.#hedge);
    const isHeard = this.#running.size > 0 || this.overtaken > 0; // to abort is dear, and nearly always nobody is left to hear it
    for (const node of this.#running.keys()) this.#take(node).abandoned();
    if (isHeard) this.#over.abort();
  }
}
