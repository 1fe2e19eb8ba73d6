import type { PutResult } from "../chunk-store/index.ts";
import { type ChunkStreams, type ChunkToPut, type ClientSession, intoBundles, Refused } from "../chunk-transport/index.ts";

type Waiting = ChunkToPut & PromiseWithResolvers<PutResult>;

/** Puts small chunks: those that somebody has at one moment together, if the node takes them so. */
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

  /** Resolves when all that were put are on the streams. */
  async sent(): Promise<void> {
    if (this.#waiting.length > 0) await new Promise<void>((resolve) => process.nextTick(resolve)); // behind their sending
  }

  #send(): void {
    const bundles = intoBundles(this.#waiting);
    this.#waiting = [];
    for (const bundle of bundles) void this.#sendTogether(bundle);
  }

  async #sendTogether(bundle: readonly Waiting[]): Promise<void> {
    try {
      await this.#streams.run((session) =>
        session.takesBundles && bundle.length > 1 ? putAll(session, bundle) : putEach(session, bundle),
      );
    } catch (error) {
      for (const { reject } of bundle) reject(error);
    }
  }
}

async function putAll(session: ClientSession, bundle: readonly Waiting[]): Promise<void> {
  const outcomes = await session.putAll(bundle);
  for (const [index, outcome] of outcomes.entries()) {
    if (outcome.kind === "refusal") bundle[index]!.reject(new Refused(outcome.body));
    else bundle[index]!.resolve({ stored: outcome.kind === "stored" });
  }
}

/** Each hears what became of it as soon as that is known. */
async function putEach(session: ClientSession, chunks: readonly Waiting[]): Promise<void> {
  await Promise.all(chunks.map(({ id, bytes, resolve, reject }) => session.put(id, bytes).then(resolve, reject)));
}
