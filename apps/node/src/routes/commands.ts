/** What the controller tells a node to do, over HTTP. `NodeCommands` of `node-client` is the other end. */
import type { ChunkBuffers } from "@holdfast/core/byte-budget";
import type { ChunkStore, ChunkTrash, LocalChunkStore } from "@holdfast/core/chunk-store";
import { answerJson, readJson } from "@holdfast/core/http-edge";
import { limits } from "@holdfast/core/kernel";
import { EPOCH_HEADER } from "@holdfast/core/node-client";
import type { Scrub } from "@holdfast/core/scrub";
import { z } from "zod";
import { checked, chunkIdShape, epochShape, sourcesShape } from "../command-shapes.ts";
import type { EpochMemory } from "../epoch-memory.ts";
import type { Replicate } from "../replication.ts";
import type { Exchange, Route } from "../route.ts";
import { pageOf, requireChunkId } from "./chunk-names.ts";

const someIds = (idsMax: number) => z.strictObject({ ids: z.array(chunkIdShape).max(idsMax) });

const replicateBody = z.strictObject({ sources: sourcesShape });
const trashBody = someIds(limits.trashChunksMax);
const restoreBody = someIds(limits.restoreChunksMax);
const purgeBody = z.strictObject({ olderThanMs: z.int().min(0) });
const scrubBody = z.discriminatedUnion("action", [
  z.strictObject({ action: z.literal("start"), bytesPerSecond: z.int().min(1).optional() }),
  z.strictObject({ action: z.literal("stop") }),
]);
const epochHeader = z
  .string()
  .regex(/^[0-9]{1,15}$/)
  .transform(Number)
  .pipe(epochShape);

export interface CommandsOptions {
  store: ChunkStore & ChunkTrash;
  epochs: EpochMemory;
  replicate: Replicate;
  scrub: Scrub;
  lost: LocalChunkStore["lost"];
  /** For chunks that are verified. */
  memory: ChunkBuffers;
  /** False until the node belongs to a cluster; it obeys nobody before. */
  requireJoined: () => void;
}

export function commandRoutes({ store, epochs, replicate, scrub, lost, memory, requireJoined }: CommandsOptions): Route[] {
  async function replicateChunk(exchange: Exchange): Promise<void> {
    const { sources } = await bodyOf(exchange, replicateBody);
    await epochs.hear(epochOf(exchange));
    answerJson(exchange.res, 200, await replicate(requireChunkId(exchange.parameter), sources, exchange.gone));
  }

  async function verify({ res, parameter, gone }: Exchange): Promise<void> {
    const buffer = await memory.acquire(limits.chunkBytesMax, gone);
    try {
      const { length } = await store.get(requireChunkId(parameter), { into: buffer.bytes });
      answerJson(res, 200, { length });
    } finally {
      buffer.release();
    }
  }

  /** Not for a caller who was cut off while this waited: to him the order is dead, and others count on that. */
  const underEpoch = <T>(exchange: Exchange, work: () => Promise<T>): Promise<T> =>
    epochs.under(epochOf(exchange), () => {
      exchange.gone.throwIfAborted();
      return work();
    });

  async function trash(exchange: Exchange): Promise<void> {
    const { ids } = await bodyOf(exchange, trashBody);
    answerJson(exchange.res, 200, { ids: await underEpoch(exchange, () => store.trash(ids)) });
  }

  async function restore(exchange: Exchange): Promise<void> {
    const { ids } = await bodyOf(exchange, restoreBody);
    answerJson(exchange.res, 200, { ids: await underEpoch(exchange, () => store.restore(ids)) });
  }

  async function purge(exchange: Exchange): Promise<void> {
    const { olderThanMs } = await bodyOf(exchange, purgeBody);
    answerJson(exchange.res, 200, await underEpoch(exchange, () => store.purgeTrash(olderThanMs)));
  }

  async function list({ res, query }: Exchange): Promise<void> {
    answerJson(res, 200, { chunks: await store.listTrash(...pageOf(query)) });
  }

  async function listLost({ res, query }: Exchange): Promise<void> {
    answerJson(res, 200, { chunks: await lost(...pageOf(query)) });
  }

  async function orderScrub(exchange: Exchange): Promise<void> {
    const order = await bodyOf(exchange, scrubBody);
    if (order.action === "start") scrub.start(order.bytesPerSecond);
    else scrub.pause();
    answerJson(exchange.res, 200, scrub.status());
  }

  async function scrubStatus({ res }: Exchange): Promise<void> {
    answerJson(res, 200, scrub.status());
  }

  const command = (method: Route["method"], path: string, serve: Route["serve"]): Route => ({
    method,
    path,
    access: "cluster",
    async serve(exchange) {
      requireJoined();
      await serve(exchange);
    },
  });

  return [
    command("POST", "/chunks/:id/replicate", replicateChunk),
    command("POST", "/chunks/:id/verify", verify),
    command("POST", "/trash", trash),
    command("POST", "/trash/restore", restore),
    command("POST", "/trash/purge", purge),
    command("GET", "/trash", list),
    command("GET", "/lost", listLost),
    command("GET", "/scrub", scrubStatus),
    command("POST", "/scrub", orderScrub),
  ];
}

async function bodyOf<T>({ req }: Exchange, schema: z.ZodType<T>): Promise<T> {
  return checked(schema, await readJson(req), "body");
}

function epochOf({ req }: Exchange): number {
  return checked(epochHeader, req.headers[EPOCH_HEADER], EPOCH_HEADER);
}
