import type { PutResult } from "../chunk-store/index.ts";
import { type ChunkStreams, type ChunkToPut, type ClientSession, intoBundles, type PutOutcome, Refused } from "../chunk-transport/index.ts";

type Waiting = ChunkToPut & PromiseWithResolvers<PutResult>;

/** Puts small chunks: those of one turn of the event loop together, if the node takes them so. */
export class SmallPuts {
  readonly #streams: ChunkStreams;
  #waiting: Waiting[] = [];

  constructor(streams: ChunkStreams) {
    this.#streams = streams;
  }

  /** Settles only when the bytes are the caller's again. Rejects as a stream's `put` does. */
  put(chunk: ChunkToPut): Promise<PutResult> {
    const waiting = { ...chunk, ...Promise.withResolvers<PutResult>() };
    if (this.#waiting.length === 0) process.nextTick(() => this.#send());
    this.#waiting.push(waiting);
    return waiting.promise;
  }

  #send(): void {
    const bundles = intoBundles(this.#waiting);
    this.#waiting = [];
    for (const bundle of bundles) void this.#sendTogether(bundle);
  }

  async #sendTogether(bundle: readonly Waiting[]): Promise<void> {
    try {
      const outcomes = await this.#streams.run((session) => putAll(session, bundle));
      for (const [index, outcome] of outcomes.entries()) {
        if (outcome.kind === "refusal") bundle[index]!.reject(new Refused(outcome.body));
        else bundle[index]!.resolve({ stored: outcome.kind === "stored" });
      }
    } catch (error) {
      for (const { reject } of bundle) reject(error);
    }
  }
}

async function putAll(session: ClientSession, chunks: readonly ChunkToPut[]): Promise<PutOutcome[]> {
  if (session.takesBundles && chunks.length > 1) return await session.putAll(chunks);
  const settled = await Promise.allSettled(chunks.map((chunk) => putAlone(session, chunk)));
  return settled.map((put) => {
    if (put.status === "rejected") throw put.reason;
    return put.value;
  });
}

async function putAlone(session: ClientSession, { id, bytes }: ChunkToPut): Promise<PutOutcome> {
  try {
    const { stored } = await session.put(id, bytes);
    return { kind: stored ? "stored" : "held" };
  } catch (error) {
    if (error instanceof Refused) return { kind: "refusal", body: error.body };
    throw error;
  }
}
