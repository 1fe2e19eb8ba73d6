/**
 * `node chaos/store/model.ts [--store file|segment] [--minutes M] [--seed N]`: gives stores one random life after the other and
 * holds them to a model. Says how many operations that were, and how many hours of a busy node they amount to.
 */
import { tmpdir } from "node:os";
import { liveThrough } from "@holdfast/core/chunk-store/testing/model";
import { type StoreKindName, storeKinds } from "@holdfast/core/chunk-store/testing/stores";
import { MINUTE_MS } from "@holdfast/core/kernel";
import { amount, oneOf, readOptions, wholeNumber } from "../../scripts/options.ts";

/** What we call busy: day and night, 100 users who each read or write a chunk every five seconds, on one node. */
const BUSY_OPERATIONS_PER_SECOND = 20;
const LIVES_AT_ONCE = 20;
const LIFE_LENGTH_MAX = 300;

const STORES = Object.keys(storeKinds) as StoreKindName[];
const USAGE = `node chaos/store/model.ts [--store ${STORES.join("|")}] [--minutes M] [--seed N] [--directory D]`;

const { values } = readOptions(USAGE, {
  options: {
    store: { type: "string", default: "segment" },
    minutes: { type: "string", default: "1" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 1e9)) },
    directory: { type: "string", default: tmpdir() },
  },
});

const kind = storeKinds[oneOf("store", values.store, STORES)];
const first = wholeNumber("seed", values.seed, 0);
const limitMs = amount("minutes", values.minutes) * MINUTE_MS;
const began = performance.now();
const elapsedMs = (): number => performance.now() - began;
console.log(`seed ${first}, ${values.minutes} minutes with a ${values.store} store`);

/** A failure names its own seed: with it, it is the first thing that happens. The shortest life may take an hour to find. */
async function liveSome(seed: number): Promise<number> {
  const lives = { seed, count: LIVES_AT_ONCE, lengthMax: LIFE_LENGTH_MAX, scratch: values.directory };
  try {
    return await liveThrough(kind, lives, false);
  } catch {
    console.log(`seed ${seed}: store and model differ; looking for the shortest life in which they do`);
    return await liveThrough(kind, lives, true);
  }
}

let operations = 0;
for (let seed = first; elapsedMs() < limitMs; seed += 1) operations += await liveSome(seed);
const perSecond = operations / (elapsedMs() / 1_000);
const hours = operations / BUSY_OPERATIONS_PER_SECOND / 3_600;
console.log(
  `${operations} operations agreed with the model, ${perSecond.toFixed(0)} a second: ` +
    `${hours.toFixed(1)} hours of a node with ${BUSY_OPERATIONS_PER_SECOND} a second, day and night`,
);
