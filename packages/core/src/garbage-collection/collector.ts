/**
 * Garbage collection: the one part of Holdfast that destroys bytes, and so the one that is never in a hurry.
 *
 * A chunk goes `live → condemned → trashed on its nodes → gone`, and each step waits for the grace. Until the last one
 * everything can be undone; before it, a node's whole trash is compared with the database once more.
 *
 * Why no chunk that anybody needs is lost:
 * - Condemned is only what nothing refers to, asked under the row's lock (`condemn`). Whoever refers to a chunk locks its row
 *   first and finds it live, or has just had its bytes written (`upload/commit-chunks`).
 * - A condemned chunk counts as unknown: an upload of the same bytes writes them again. Its nodes may answer "I have it", and
 *   that holds until they are told to trash it. So before any such order goes out, the row's window opens, durably: until
 *   `trashing_until` no answer counts that was asked for before. The window closes when each order has been answered, or by
 *   itself when those that were not are dead: their signatures have expired and the node is done with what it took on.
 * - A leader who lost the lease without noticing cannot open a window. One who lost it after that sends within the window or
 *   not at all, and nodes that heard his successor refuse him. The successor makes himself heard before anything else.
 * - The row stays until every node has answered, and then as a tombstone as long as an old answer could be counted on.
 *
 * A crash leaves:
 * - with windows open and no order sent, or some: condemned rows. Uploads of these bytes are asked to come again until the
 *   windows have closed; then `put` takes the copy back out of the trash or writes it anew. The next step sends the orders
 *   again, which may be repeated;
 * - with copies trashed and the row not yet changed: the same;
 * - with a node out of reach: the row goes on naming it, and it is told when it is back.
 *
 * What holds it (nothing is condemned, trashed or purged then): safemode, a node whose holdings were not compared lately,
 * and the brakes, which wait for an operator: too much at once, nodes that remember a newer leader than the database does.
 */
import type pg from "pg";
import { ChunkStoreError } from "../chunk-store/index.ts";
import type { ChunkId } from "../chunking/index.ts";
import { type Clock, HOUR_MS, limits, type Logger, SECOND_MS, systemClock } from "../kernel/index.ts";
import type { Leadership } from "../leadership/index.ts";
import type { NodeAddress, NodeCommands } from "../node-client/index.ts";
import { condemn, findUnreferenced } from "./condemn.ts";
import { countLiveChunks } from "./live-chunks.ts";
import { isWithinReach, type KnownNode, readKnownNodes } from "./nodes.ts";
import { askNodes, olderDatabaseWords, raiseEpoch } from "./older-database.ts";
import { type Amount, type BrakeLimits, brakeLimits, isCovered, isTooMuch } from "./plan-brakes.ts";
import { purgeNode } from "./purge.ts";
import { findCondemnedInUse, revive } from "./revive.ts";
import { brake, findApproval, type GarbageTotals, listBraked, recordRun, settleBrake } from "./runs.ts";
import { closeWindows, type DoomedChunk, forgetTombstones, hasDue, hasTombstones, openWindows, type TrashOutcome } from "./trash.ts";

/** Chunks of one transaction, and of one command to a node. */
const BATCH = Math.min(limits.trashChunksMax, 500);

export interface GarbageCollectorOptions {
  pool: pg.Pool;
  leadership: Pick<Leadership, "fenced" | "requireEpoch">;
  clients: { commandsFor(node: NodeAddress): Pick<NodeCommands, "trash" | "restore" | "listTrash" | "purgeTrash"> };
  safemode: { isOn(): boolean; why(): string };
  /** Why the nodes' holdings are not known well enough, or undefined when they are. */
  inventoryGap: () => Promise<string | undefined>;
  logger: Logger;
  /** Copies each chunk should have, unless the cluster's row says otherwise. */
  replicas?: number | undefined;
  graceMs?: number;
  tombstoneMs?: number;
  brakes?: BrakeLimits;
  clock?: Clock;
}

export interface GarbageCollector {
  /** One look at everything. May be repeated at any time. Rejects with `leader.not_us`. */
  step(signal: AbortSignal): Promise<GarbageTotals>;
  /** Why nothing is removed at the moment, in words; empty when nothing holds it. */
  heldBy(): string;
}

/** How often to look, so that the grace is what a chunk waits for, and not the next look. */
export function garbageIntervalMs(graceMs: number): number {
  return Math.min(Math.max(graceMs / 10, SECOND_MS), HOUR_MS);
}

export function createGarbageCollector(options: GarbageCollectorOptions): GarbageCollector {
  let heldBy = "";
  return {
    heldBy: () => heldBy,
    async step(signal) {
      const totals: GarbageTotals = { condemned: 0, revived: 0, trashed: 0, purged: 0, bytes: 0 };
      const collection = new Collection(options, totals, signal);
      heldBy = (await collection.run()) ?? "";
      const { condemned, revived, trashed, purged } = totals;
      if (condemned + revived + trashed + purged > 0) await options.leadership.fenced((tx) => recordRun(tx, totals));
      return totals;
    },
  };
}

/** One step under way. */
class Collection {
  readonly #options: Required<Omit<GarbageCollectorOptions, "brakes">> & { brakes: BrakeLimits };
  readonly #totals: GarbageTotals;
  readonly #signal: AbortSignal;
  #nodes: readonly KnownNode[] = [];

  constructor(options: GarbageCollectorOptions, totals: GarbageTotals, signal: AbortSignal) {
    const { replicas = limits.replicas, graceMs = limits.gcGraceMs, tombstoneMs = limits.chunkTombstoneMs } = options;
    const { brakes = brakeLimits, clock = systemClock } = options;
    this.#options = { ...options, replicas, graceMs, tombstoneMs, brakes, clock };
    this.#totals = totals;
    this.#signal = signal;
  }

  /** Returns what held it. */
  async run(): Promise<string | undefined> {
    this.#nodes = await readKnownNodes(this.#options.pool);
    const hold = (await this.#hold()) ?? (await this.#holdShare());
    if (hold !== undefined) return hold;
    await this.#revive();
    await this.#condemn();
    await this.#trash();
    await this.#purge();
    await this.#forget();
    return undefined;
  }

  /** What speaks against removing anything at all. */
  async #hold(): Promise<string | undefined> {
    const { safemode, inventoryGap, pool } = this.#options;
    const older = await this.#holdOlderDatabase(); // first: it makes this leader heard, and has to be known in safemode, too
    if (older !== undefined) return older;
    if (safemode.isOn()) return safemode.why();
    const gap = await inventoryGap();
    if (gap !== undefined) return gap;
    return (await listBraked(pool)).find(({ cause }) => cause !== "share")?.why;
  }

  async #holdOlderDatabase(): Promise<string | undefined> {
    const { leadership, pool, clients } = this.#options;
    const epoch = leadership.requireEpoch();
    const { older } = await askNodes(this.#reachable(), clients, epoch);
    if (older === undefined) {
      await settleBrake(this.#options, "older-database");
      return undefined;
    }
    const isApproved = (await findApproval(pool, "older-database")) !== undefined;
    await leadership.fenced(async (tx) => {
      if (isApproved) await raiseEpoch(tx, older.highest);
      else await brake(tx, "older-database", olderDatabaseWords(older), { chunks: 0, bytes: 0 });
    });
    return olderDatabaseWords(older);
  }

  /** Counts before the first is condemned: a run that should not have begun cannot be stopped in its middle. */
  async #holdShare(): Promise<string | undefined> {
    const { pool, leadership, brakes } = this.#options;
    const amount = await this.#unreferenced();
    const isLarge = isTooMuch(amount, 0, brakes); // only then does it matter how many there are, and counting them takes its time
    const chunksTotal = isLarge ? await countLiveChunks(pool) : 0;
    if (!isLarge || !isTooMuch(amount, chunksTotal, brakes)) {
      await settleBrake(this.#options, "share");
      return undefined;
    }
    const approval = await findApproval(pool, "share");
    if (approval !== undefined && isCovered(amount, approval)) return undefined;
    const why = `${amount.chunks} of ${chunksTotal} chunks (${amount.bytes} bytes) belong to no file any more. That is much at once, so nothing is cleaned up until an operator has agreed.`;
    await leadership.fenced((tx) => brake(tx, "share", why, amount));
    return why;
  }

  async #unreferenced(): Promise<Amount> {
    const amount = { chunks: 0, bytes: 0 };
    for await (const page of findUnreferenced(this.#options.pool, this.#options.graceMs)) {
      amount.chunks += page.length;
      for (const { length } of page) amount.bytes += length;
    }
    return amount;
  }

  async #condemn(): Promise<void> {
    const { pool, leadership, graceMs } = this.#options;
    for await (const page of findUnreferenced(pool, graceMs)) {
      for (let from = 0; from < page.length && !this.#signal.aborted; from += BATCH) {
        const { chunks, bytes } = await leadership.fenced((tx) => condemn(tx, page.slice(from, from + BATCH)));
        this.#totals.condemned += chunks;
        this.#totals.bytes += bytes;
      }
    }
    await settleBrake(this.#options, "share"); // an approval is used up
  }

  async #trash(): Promise<void> {
    const { leadership, pool, graceMs, clock } = this.#options;
    while (!this.#signal.aborted && (await hasDue(pool, { nodes: this.#nodes, graceMs }))) {
      const openedAtMs = clock.monotonicMs();
      const epoch = leadership.requireEpoch();
      const doomed = await leadership.fenced((tx) => openWindows(tx, { nodes: this.#nodes, graceMs, chunksMax: BATCH }));
      if (doomed.length === 0 || clock.monotonicMs() - openedAtMs > limits.trashSendWithinMs) return; // too late: the windows close by themselves
      const outcomes = await this.#order(doomed, epoch);
      await leadership.fenced((tx) => closeWindows(tx, outcomes));
      this.#totals.trashed += outcomes.filter(({ done, settled }) => settled && done.length > 0).length;
    }
  }

  /** Never rejects: an order without an answer is one that may still be carried out. */
  async #order(doomed: readonly DoomedChunk[], epoch: number): Promise<TrashOutcome[]> {
    const outcomes = new Map(doomed.map(({ id }) => [id, { id, done: [] as number[], settled: true }]));
    await Promise.all(
      this.#reachable().map(async (node) => {
        const ids = doomed.filter(({ nodeIds }) => nodeIds.includes(node.id)).map(({ id }) => id);
        if (ids.length === 0) return;
        const isDone = await this.#orderNode(node, ids, epoch);
        for (const id of ids) {
          if (isDone) outcomes.get(id)!.done.push(node.id);
          else outcomes.get(id)!.settled = false;
        }
      }),
    );
    return [...outcomes.values()];
  }

  async #orderNode(node: KnownNode, ids: ChunkId[], epoch: number): Promise<boolean> {
    const { clients, logger } = this.#options;
    try {
      await clients.commandsFor(node).trash(ids, epoch);
      return true;
    } catch (error) {
      logger.warn({ err: error, node: node.name, chunks: ids.length }, "copies could not be trashed; it will be tried again");
      return false;
    }
  }

  async #purge(): Promise<void> {
    const { pool, clients, leadership, replicas, graceMs, logger } = this.#options;
    for (const node of this.#reachable()) {
      if (this.#signal.aborted) return;
      try {
        const options = { nodeId: node.id, epoch: leadership.requireEpoch(), graceMs, replicas, signal: this.#signal };
        const { chunks, bytes, restored } = await purgeNode(pool, clients.commandsFor(node), options);
        this.#totals.purged += chunks;
        this.#totals.bytes += bytes;
        this.#totals.revived += restored;
        if (restored > 0) logger.error({ node: node.name, restored }, "copies that are needed were in the trash; they are back");
      } catch (error) {
        if (!(error instanceof ChunkStoreError)) throw error;
        logger.warn({ err: error, node: node.name }, "a node's trash could not be purged; it will be tried again");
      }
    }
  }

  async #revive(): Promise<void> {
    const { pool, clients, leadership } = this.#options;
    for await (const { ids, asOf } of findCondemnedInUse(pool)) {
      const holders = new Map<ChunkId, number[]>();
      for (const node of this.#reachable()) {
        const held = await clients
          .commandsFor(node)
          .restore(ids, leadership.requireEpoch())
          .catch(() => []); // a node that cannot be asked is not counted as a holder
        for (const id of held) holders.set(id, [...(holders.get(id) ?? []), node.id]);
      }
      this.#totals.revived += await leadership.fenced((tx) => revive(tx, holders, asOf));
    }
  }

  async #forget(): Promise<void> {
    const { leadership, pool, tombstoneMs } = this.#options;
    if (!(await hasTombstones(pool, tombstoneMs))) return;
    for (let forgotten = BATCH; forgotten === BATCH && !this.#signal.aborted;) {
      forgotten = await leadership.fenced((tx) => forgetTombstones(tx, { tombstoneMs, chunksMax: BATCH }));
    }
  }

  #reachable(): KnownNode[] {
    return this.#nodes.filter(isWithinReach);
  }
}
